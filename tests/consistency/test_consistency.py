"""Writers and readers of all doors at once, under faults: every acknowledged row exactly once, every other at most once and
whole, and no answer older than what was acknowledged before its question was sent.

BOATHOUSE_CONSISTENCY_ROUNDS (4) and BOATHOUSE_CONSISTENCY_SECONDS (6), of a round: 40 and 22 make a quarter of an hour.
BOATHOUSE_TEST_SEED: which faults in which order, and what is written. The last three tests are of the checker itself: in a box
that is broken on purpose it finds the fault.
"""

import contextlib
import os
import random
import time

import duckdb
import psutil
import psycopg
import pytest
from box_process import BoxFailed
from crowd import Readers, Stop, Ways, Writers, all_rows, make_tables
from cutter import Cutter
from gathering import counter, metric, wait_for
from history import History
from http_client import Client

ROUNDS = int(os.environ.get("BOATHOUSE_CONSISTENCY_ROUNDS", "4"))
SECONDS = float(os.environ.get("BOATHOUSE_CONSISTENCY_SECONDS", "6"))
SEED = int(os.environ.get("BOATHOUSE_TEST_SEED", "20261123"))
DOOR_WRITERS, HTTP_WRITERS, DIRECT_WRITERS = 22, 7, 3
DOOR_READERS, HTTP_READERS, DIRECT_READERS = 5, 2, 1
CUT_SHARE = 0.05
FAULTS = ("engine", "postgres", "store", "connections")
LONG = pytest.mark.timeout(300 + 4 * ROUNDS * SECONDS)


def given(box) -> dict[str, float]:
    """What the kept answers, and the kept tables, were good for."""
    return {name: metric(box, name) for name in ("cache_hits_total", "small_table_reads_total")}


class Setting:
    """A box on S3, the ways to it, the history; the doors are reached through cutters."""

    def __init__(self, box, s3, duckdb_home, writers: int):
        self.box, self.s3, self.home = box, s3, duckdb_home
        self.history, self.stop = History(writers), Stop()
        self.sql, self.http = Cutter(box.sql_port, SEED), Cutter(box.http_port, SEED + 1)
        door = f"host={self.sql.host} port={self.sql.port} user={box.user} password={box.password} dbname=lake"
        self.ways = Ways(door, HttpClient(box, self.http.port), self.direct)
        make_tables(box, self.direct)

    def direct(self) -> duckdb.DuckDBPyConnection:
        client = duckdb.connect(config={"extension_directory": str(self.home / ".duckdb" / "extensions")})
        client.execute("LOAD ducklake; LOAD httpfs; SET ducklake_max_retry_count = 100; SET ducklake_retry_wait_ms = 10")
        client.execute(self.s3.create_secret())
        client.execute(f"ATTACH '{self.box.attach_string}' AS lake; USE lake")
        return client

    def wait_for_more(self, statements: int) -> None:
        enough = self.history.acknowledged() + statements
        wait_for(lambda: self.history.acknowledged() >= enough, f"{enough} acknowledged statements")

    def lull(self) -> None:
        """Nobody writes until readers have got a kept answer, and one from kept tables."""
        before = given(self.box)
        self.stop.may_write.clear()
        wait_for(lambda: all(count > before[name] for name, count in given(self.box).items()), "answers from what is kept")
        self.stop.may_write.set()

    def close(self) -> None:
        self.stop.done.set()
        self.stop.may_write.set()

    # -------------------------------------------------------------- faults

    def kill(self, name: str) -> None:
        old = self.box.child(name)
        old.kill()

        def is_another() -> bool:
            try:
                return self.box.child(name).pid != old.pid and self.box.is_ready()
            except (BoxFailed, psutil.Error, IndexError):  # between two processes
                return False

        wait_for(is_another, f"a new {name}")

    def commit(self, fault: str) -> None:
        if fault == "engine":
            self.kill("boathouse-engine")
        elif fault == "postgres":
            self.kill("postgres")
        elif fault == "store":
            self.s3.stop()
            time.sleep(SECONDS / 6)
            self.s3.start()
        else:
            before = self.sql.cuts + self.http.cuts
            self.sql.cut_share = self.http.cut_share = CUT_SHARE
            wait_for(lambda: self.sql.cuts + self.http.cuts > before + 10, "ten cut connections")
            self.sql.cut_share = self.http.cut_share = 0


class HttpClient(Client):
    """Through another port than the box's."""

    def __init__(self, box, port: int):
        super().__init__(box)
        self.box = type("Address", (), {"host": box.host, "http_port": port})


@pytest.fixture
def setting(new_box, s3, duckdb_home):
    """A function that makes the setting; its clients stop at the end."""
    made = []

    def make(writers: int, configuration: str = "", **settings) -> Setting:
        box = new_box(settings=s3.box_settings(f"consistency-{time.monotonic_ns()}") | settings, start=False)
        box.expect(".*")  # faults are what this is about
        box.start()
        if configuration:
            (box.data_dir / "postgres" / "local.conf").write_text(configuration)
            box.restart()
        made.append(Setting(box, s3, duckdb_home, writers))
        return made[-1]

    yield make
    for one in made:
        one.close()


@LONG
def test_nothing_is_lost_twice_torn_or_stale(setting):
    its = setting(DOOR_WRITERS + HTTP_WRITERS + DIRECT_WRITERS)
    dice = random.Random(SEED)
    writers = Writers(its.history, its.ways, its.stop, SEED, DOOR_WRITERS, HTTP_WRITERS, DIRECT_WRITERS)
    readers = Readers(its.history, its.ways, its.stop, DOOR_READERS, HTTP_READERS, DIRECT_READERS)
    its.wait_for_more(100)
    happened = []
    while len(happened) < ROUNDS:
        # Each fault once in four rounds, in any order.
        for fault in dice.sample(FAULTS, len(FAULTS)):
            began = time.monotonic()
            time.sleep(dice.uniform(0, SECONDS / 2))
            its.commit(fault)
            its.wait_for_more(20)
            its.lull()
            happened.append(fault)
            assert not its.history.complaints, f"seed {SEED}, after {happened}:\n" + "\n".join(its.history.complaints)
            time.sleep(max(0, began + SECONDS - time.monotonic()))
            if len(happened) == ROUNDS:
                break
    its.close()
    for thread in (*writers.threads, *readers.threads):
        thread.outcome()
    with contextlib.suppress(OSError):
        its.box.wait_ready()
    its.history.judge_end(all_rows(its.box))
    assert not its.history.complaints, f"seed {SEED}:\n" + "\n".join(its.history.complaints)
    assert all(its.acknowledged > 0 for its in its.history.writers[:DOOR_WRITERS + HTTP_WRITERS]), "a writer never got through"
    assert counter(its.box, "batches_total") > 0
    print(f"seed {SEED}: {len(happened)} faults, {its.history.acknowledged()} statements acknowledged, "
          f"{its.history.answers} answers, {its.sql.cuts + its.http.cuts} connections cut")


def test_the_checker_finds_lost_rows(setting):
    """A box whose PostgreSQL acknowledges commits before the disk has them, and is killed."""
    its = setting(DOOR_WRITERS, "wal_writer_delay = 10s\nwal_writer_flush_after = 1GB\n")
    with superuser(its.box) as owner:
        owner.execute("ALTER ROLE boathouse_engine SET synchronous_commit = off")
    its.kill("boathouse-engine")  # whose connections are of before
    writers = Writers(its.history, its.ways, its.stop, SEED, DOOR_WRITERS, 0, 0)
    for _ in range(4):  # what somebody else commits just before has all that came before it written
        its.wait_for_more(200)
        its.kill("postgres")
    its.close()
    for thread in writers.threads:
        thread.outcome()
    its.history.judge_end(all_rows(its.box))
    assert any(complaint.startswith("lost: ") for complaint in its.history.complaints)


def test_the_checker_finds_old_answers(setting):
    """A box that sees the lake's snapshots two seconds late: its question for the newest one is answered with an old one."""
    its = setting(3)
    with superuser(its.box) as owner:
        owner.execute("ALTER TABLE ducklake_snapshot ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        owner.execute("CREATE POLICY everybody ON ducklake_snapshot USING (current_user <> 'boathouse_engine')")
        owner.execute("""CREATE POLICY late ON ducklake_snapshot TO boathouse_engine
                         USING (snapshot_time < clock_timestamp() - interval '2 seconds')""")
    time.sleep(2)
    Writers(its.history, its.ways, its.stop, SEED, 0, 0, 3)
    Readers(its.history, its.ways, its.stop, 2, 0, 0)
    wait_for(lambda: its.history.complaints, "a complaint")
    assert its.history.complaints[0].startswith("stale: ")


def test_the_checker_finds_rows_that_are_torn_twice_or_invented():
    history = History(1)
    statement = history.send(0, 3)
    history.judge("a reader", history.floors(), [(0, 1, 3, 2)])
    history.judge("a reader", history.floors(), [(0, 3, 3, 3)])
    history.judge_end([(0, 0), (0, 1), (0, 1), (0, 7)])
    history.acknowledge(0, statement)
    history.judge("a reader", history.floors(), [(0, 2, 2, 2)])
    assert [complaint.split(":")[0] for complaint in history.complaints] == ["twice", "invented", "twice", "invented", "torn", "stale"]


def superuser(box) -> psycopg.Connection:
    """The cluster's, by the private socket."""
    return psycopg.connect(host=str(box.data_dir / "run"), port=box.catalog_port, user="boathouse", dbname=box.database,
                           autocommit=True)
