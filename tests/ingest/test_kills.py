"""kill -9 under clients whose rows share commits: what was acknowledged is there exactly once, what was not at most once."""

import threading
import uuid

import psutil
import psycopg
from box_process import BoxFailed
from gathering import Background, counter, door_of, wait_for

WRITERS = 16


class Ledger:
    """Writers that insert one entry a statement and note which were acknowledged, until the end."""

    def __init__(self, box):
        self.box, self.done = box, threading.Event()
        self.acknowledged: list[set[str]] = [set() for _ in range(WRITERS)]
        self.attempted: list[set[str]] = [set() for _ in range(WRITERS)]
        self.failures = [0] * WRITERS
        with psycopg.connect(door_of(box), autocommit=True) as owner:
            owner.execute("CREATE TABLE ledger (id varchar NOT NULL, writer int)")
        self.writers = [Background(self._write, number) for number in range(WRITERS)]

    def _write(self, number: int) -> None:
        connection = None
        while not self.done.is_set():
            entry = str(uuid.uuid4())
            try:
                connection = connection or psycopg.connect(door_of(self.box), autocommit=True)
                self.attempted[number].add(entry)
                connection.execute("INSERT INTO ledger VALUES (%s, %s)", (entry, number), prepare=True)
                self.acknowledged[number].add(entry)
            except psycopg.Error:
                self.failures[number] += 1
                if connection:
                    connection.close()
                connection = None
                self.done.wait(0.05)

    def wait_for_more(self, count: int) -> None:
        enough = sum(map(len, self.acknowledged)) + count
        wait_for(lambda: sum(map(len, self.acknowledged)) >= enough, f"{enough} acknowledged inserts")

    def close(self) -> None:
        self.done.set()
        for writer in self.writers:
            writer.outcome()

    def check(self) -> None:
        assert sum(self.failures) > 0, "no client noticed: nothing was killed under load"
        with psycopg.connect(door_of(self.box), autocommit=True) as reader:
            rows = reader.execute("SELECT id, count(*) FROM ledger GROUP BY id").fetchall()
            counted, = reader.execute("SELECT count(*) FROM ledger").fetchone()
        assert counted == len(rows), "an insert is there twice"
        there = {entry for entry, _ in rows}
        missing = set().union(*self.acknowledged) - there
        assert not missing, f"{len(missing)} acknowledged inserts are lost"
        assert there <= set().union(*self.attempted)
        with psycopg.connect(self.box.dsn) as catalog:
            recorded, = catalog.execute("""SELECT s.record_count FROM ducklake_table_stats s JOIN ducklake_table t USING (table_id)
                                           WHERE t.table_name = 'ledger' AND t.end_snapshot IS NULL""").fetchone()
        assert recorded == counted, "the table's statistics do not count its rows"
        with psycopg.connect(door_of(self.box), autocommit=True) as reader:
            row_ids, = reader.execute("SELECT count(DISTINCT rowid) FROM ledger").fetchone()
        assert row_ids == counted, "two rows have one row id"
        assert counter(self.box, "batches_total") > counter(self.box, "by_extension_total"), "the extension wrote all of it"


def kill_under_load(box, victim: str) -> None:
    ledger = Ledger(box)
    try:
        for _ in range(2):
            ledger.wait_for_more(100)
            old = box.child(victim)
            old.kill()
            wait_for_another(box, victim, old.pid)
        ledger.wait_for_more(100)
    finally:
        ledger.close()
    ledger.check()


def wait_for_another(box, name: str, old: int) -> None:
    def is_there() -> bool:
        try:
            return box.child(name).pid != old and box.is_ready()
        except (BoxFailed, psutil.Error, IndexError):  # between two processes
            return False

    wait_for(is_there, f"a new {name}")


def test_engine_killed_under_gathering_clients(new_box):
    box = new_box()
    box.expect("postgres: |engine|http: ")
    kill_under_load(box, "boathouse-engine")


def test_postgresql_killed_under_gathering_clients(new_box):
    box = new_box()
    box.expect("postgres: |PostgreSQL killed by signal 9|engine|http: |gateway: ")
    kill_under_load(box, "postgres")
