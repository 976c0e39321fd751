"""Writers that insert one entry a statement through the SQL door, and the account of what became of each."""

import threading
import uuid

import psycopg
from gathering import Background, wait_for

WRITERS = 16


class Ledger:
    """They write until the end, and note which entries were acknowledged. Doors and catalogs are libpq's parameters."""

    def __init__(self, door: str):
        self.door, self.done = door, threading.Event()
        self.acknowledged: list[set[str]] = [set() for _ in range(WRITERS)]
        self.attempted: list[set[str]] = [set() for _ in range(WRITERS)]
        self.failures = [0] * WRITERS
        with psycopg.connect(door, autocommit=True) as owner:
            owner.execute("CREATE TABLE ledger (id varchar NOT NULL, writer int)")
        self.writers = [Background(self._write, number) for number in range(WRITERS)]

    def _write(self, number: int) -> None:
        connection = None
        while not self.done.is_set():
            entry = str(uuid.uuid4())
            try:
                connection = connection or psycopg.connect(self.door, autocommit=True)
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

    def check(self, door: str, catalog: str) -> None:
        """What was acknowledged is there exactly once, what was not at most once, and the statistics count all of it."""
        assert sum(self.failures) > 0, "no client noticed: nothing was killed under load"
        with psycopg.connect(door, autocommit=True) as reader:
            rows = reader.execute("SELECT id, count(*) FROM ledger GROUP BY id").fetchall()
            counted, = reader.execute("SELECT count(*) FROM ledger").fetchone()
            row_ids, = reader.execute("SELECT count(DISTINCT rowid) FROM ledger").fetchone()
        assert counted == len(rows), "an insert is there twice"
        there = {entry for entry, _ in rows}
        missing = set().union(*self.acknowledged) - there
        assert not missing, f"{len(missing)} acknowledged inserts are lost"
        assert there <= set().union(*self.attempted)
        assert row_ids == counted, "two rows have one row id"
        with psycopg.connect(catalog) as connection:
            recorded, = connection.execute("""SELECT s.record_count FROM ducklake_table_stats s JOIN ducklake_table t USING (table_id)
                                              WHERE t.table_name = 'ledger' AND t.end_snapshot IS NULL""").fetchone()
        assert recorded == counted, "the table's statistics do not count its rows"
