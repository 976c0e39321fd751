"""The keeper, interrupted in every step: the lake holds the same rows afterwards, no file that is needed is gone, and what
was left behind is found.

Each round writes small files, deletes rows, lets everything be due, and kills the engine or PostgreSQL, takes the store away
or fills the disk at a random moment of the keeper's run. BOATHOUSE_KEEPER_ROUNDS says how many for each store
(200: `BOATHOUSE_KEEPER_ROUNDS=100 scripts/test tests/faults/test_keeper.py --timeout=7200`), BOATHOUSE_TEST_SEED which.
"""

import json
import os
import random
import signal
import subprocess
import time

import psycopg
import pytest

from box_process import Box
from s3_server import S3Server

ROUNDS = int(os.environ.get("BOATHOUSE_KEEPER_ROUNDS", "3"))
SEED = int(os.environ.get("BOATHOUSE_TEST_SEED", "20261123"))
TABLES = 3
WAIT_SECONDS = 180
POSTGRES_DEATHS_MAX = 6  # of one supervisor's; it gives up after eight within five minutes
# So that every job is due at once, but for the looking for orphans, which is at most daily.
POLICIES = {"merge_files": "2", "flush_rows": "1", "rewrite_deleted": "0.01", "snapshot_age": "1 second",
            "cleanup_age": "0 seconds", "orphan_age": "off"}


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still waiting: {what}"
        time.sleep(0.02)


class Kept:
    """A box whose keeper works on demand, what its lake must hold, and what was tagged when."""

    def __init__(self, box: Box, choice: random.Random):
        self.box, self.choice = box, choice
        self.rows: dict[str, list[int]] = {}  # by table
        self.tagged: list[tuple[str, int, dict[str, tuple]]] = []  # name, snapshot, contents

    def command(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.box.binary, *arguments, "--data-dir", self.box.data_dir], env=self.box.environment,
                              capture_output=True, text=True, timeout=300)

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(host=self.box.host, port=self.box.sql_port, user=self.box.user,
                               password=self.box.password, dbname="lake", autocommit=True)

    def catalog(self, text: str, database: str | None = None) -> list[tuple]:
        """As the superuser, through the private socket."""
        with psycopg.connect(host=str(self.box.data_dir / "run"), port=self.box.catalog_port, user="boathouse",
                             dbname=database or self.box.database, autocommit=True) as connection:
            answer = connection.execute(text)
            return answer.fetchall() if answer.description else []

    def prepare(self) -> None:
        self.box.pause_keeper()
        for policy, value in POLICIES.items():
            done = self.command("policy", "set", policy, value)
            assert done.returncode == 0, done.stderr
        with self.connect() as door:
            for number in range(TABLES):
                door.execute(f"CREATE TABLE t{number} (i BIGINT)")
                self.rows[f"t{number}"] = []

    def write(self, round_number: int) -> None:
        with self.connect() as door:
            for number in range(self.choice.randrange(4, 10)):
                table, count = f"t{self.choice.randrange(TABLES)}", self.choice.choice([1, 3, 20, 200])
                begin = (round_number * 100 + number) * 1000
                door.execute(f"INSERT INTO {table} SELECT {begin} + range FROM range({count})")
                self.rows[table] += range(begin, begin + count)
            table, rest = f"t{self.choice.randrange(TABLES)}", self.choice.randrange(5)
            door.execute(f"DELETE FROM {table} WHERE i % 5 = {rest}")
            self.rows[table] = [i for i in self.rows[table] if i % 5 != rest]

    def tag(self, name: str) -> None:
        done = self.command("tag", "create", name)
        assert done.returncode == 0, done.stderr
        (snapshot,), = self.catalog(f"SELECT snapshot_id FROM keeper.tag WHERE name = '{name}'", "boathouse_lakehouse")
        self.tagged.append((name, snapshot, self.contents()))

    def contents(self, at: str = "") -> dict[str, tuple]:
        with self.connect() as door:
            return {table: door.execute(f"SELECT count(*), coalesce(sum(i), 0)::bigint FROM {table} {at}").fetchone()
                    for table in self.rows}

    def expected(self) -> dict[str, tuple]:
        return {table: (len(rows), sum(rows)) for table, rows in self.rows.items()}

    def needed_files(self) -> set[str]:
        """Of every snapshot there is; the tables' paths are as DuckLake makes them."""
        return {path for path, in self.catalog("""
            SELECT 'main/' || t.path || f.path FROM (SELECT table_id, path FROM ducklake_data_file
            UNION ALL SELECT table_id, path FROM ducklake_delete_file) f
            JOIN (SELECT DISTINCT table_id, path FROM ducklake_table) t USING (table_id)""")}

    def scheduled_files(self) -> set[str]:
        return {path for path, in self.catalog("SELECT path FROM ducklake_files_scheduled_for_deletion")}

    def check(self, list_files, told: str) -> None:
        """The keeper may be at work again: what is needed both before and after the look at the files must be there."""
        assert self.contents() == self.expected(), told
        before, files = self.needed_files(), list_files()
        missing = (before & self.needed_files()) - files
        assert not missing, f"{told}: gone, and needed: {missing}"
        for name, snapshot, contents in self.tagged:
            assert self.contents(f"AT (VERSION => {snapshot})") == contents, f"{told}: {name}"

    def interrupted_run(self, fault, delay_seconds: float) -> None:
        """The keeper is asked to work, and the fault comes so long after it has begun."""
        asked = subprocess.Popen([self.box.binary, "keeper", "run", "--data-dir", self.box.data_dir],
                                 env=self.box.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with psycopg.connect(host=str(self.box.data_dir / "run"), port=self.box.catalog_port, user="boathouse",
                                 dbname="boathouse_lakehouse", autocommit=True) as watch:
                wait_for(lambda: watch.execute("SELECT activity FROM keeper.state").fetchone() != ("",)
                         or asked.poll() is not None, "the keeper's work")
            time.sleep(delay_seconds)
            fault()
        finally:
            asked.send_signal(signal.SIGTERM)
            asked.wait()
        wait_for(self.answers, "the box's return")

    def answers(self) -> bool:
        try:
            return self.box.is_ready() and self.contents() is not None
        except psycopg.Error:
            return False

    def finish(self) -> None:
        """Everything that is due, without a fault; what vacuum made give way is asked for again."""
        wait_for(lambda: self.runs_clean(), "a run without a failure")

    def runs_clean(self) -> bool:
        done = self.command("keeper", "run", "--json")
        return done.returncode == 0 and all(run["outcome"] == "done" for run in json.loads(done.stdout))

    def remove_orphans(self) -> None:
        assert self.command("policy", "set", "orphan_age", "0 seconds").returncode == 0
        self.catalog("UPDATE keeper.state SET since = since - interval '2 days';"
                     "UPDATE keeper.run SET started_at = started_at - interval '2 days' WHERE job = 'orphans'",
                     "boathouse_lakehouse")
        self.finish()
        assert self.command("policy", "set", "orphan_age", "off").returncode == 0


def state(box: Box) -> dict:
    return json.loads((box.data_dir / "run" / "state.json").read_text())


def kill(box: Box, name: str) -> None:
    """SIGKILL, and the supervisor has noticed."""
    part = "engine" if name == "boathouse-engine" else "postgres"
    before = state(box)[part]["restarts"]
    box.child(name).kill()
    wait_for(lambda: state(box)[part]["restarts"] > before and state(box)["phase"] == "ready", f"another {part}")


def rounds(kept: Kept, faults: dict, list_files) -> None:
    """`faults` by name; `list_files`: the lake's files there are, by their paths in the lake."""
    print("seed", SEED, "rounds", ROUNDS)
    kept.prepare()
    kinds = list(faults)
    for number in range(ROUNDS):
        kept.write(number)
        if number % 5 == 4:
            kept.tag(f"round-{number}")
        kind = kinds[number % len(kinds)]
        delay_seconds = kept.choice.uniform(0, 0.6)
        kept.box.expect(".*")  # each fault has warnings of its own
        kept.interrupted_run(faults[kind], delay_seconds)
        kept.check(list_files, f"seed {SEED}, round {number}, {kind} after {delay_seconds:.3f} s")
        print("round", number, kind, f"{delay_seconds:.3f} s", time.strftime("%H:%M:%S"), flush=True)
        if state(kept.box)["postgres"]["restarts"] >= POSTGRES_DEATHS_MAX:
            kept.box.restart()
    kept.finish()
    kept.remove_orphans()
    kept.check(list_files, "at the end")
    assert list_files() == kept.needed_files() | kept.scheduled_files(), "no orphan is left"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system takes root")
def test_on_a_disk_that_is_full_now_and_then(boathouse):
    box = Box(boathouse, settings={"BOATHOUSE_ENGINE_RESTART_MAX": "1000"})
    disk = box.root / "disk"
    disk.mkdir(mode=0o777)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=777", "tmpfs", disk], check=True)
    box.data_path = f"{disk}/lake/"

    def fill_disk() -> None:
        filler = disk / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                pass
        time.sleep(0.5)  # the keeper goes on meanwhile
        filler.unlink()

    def list_files() -> set[str]:
        return {str(path.relative_to(disk / "lake")) for path in (disk / "lake").rglob("*.parquet")}

    try:
        kept = Kept(box.start(), random.Random(SEED))
        rounds(kept, {"engine killed": lambda: kill(box, "boathouse-engine"), "disk full": fill_disk,
                      "PostgreSQL killed": lambda: kill(box, "postgres")}, list_files)
    finally:
        box.discard()
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_on_a_store_that_fails_now_and_then(boathouse):
    store = S3Server().start()
    box = Box(boathouse, settings=store.box_settings("kept") | {"BOATHOUSE_ENGINE_RESTART_MAX": "1000"})

    def take_store_away() -> None:
        store.stop()
        time.sleep(0.5)  # the keeper goes on meanwhile
        store.start()
        wait_for(lambda: store.serves("kept/"), "what the store has")

    def list_files() -> set[str]:
        return {key.removeprefix("kept/") for key in store.keys("kept/")}

    try:
        kept = Kept(box.start(), random.Random(SEED + 1))
        rounds(kept, {"store gone": take_store_away, "engine killed": lambda: kill(box, "boathouse-engine"),
                      "PostgreSQL killed": lambda: kill(box, "postgres")}, list_files)
    finally:
        box.discard()
        store.discard()
