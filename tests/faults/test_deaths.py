"""Every process of the box is killed with SIGKILL, at any moment: the box comes back by itself or on the next start, and
what was acknowledged is there exactly once."""

import json
import os
import random
import signal
import subprocess
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import duckdb
import psutil
import psycopg
import pytest
from box_process import running

WRITERS = 16
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system takes root")

# What PostgreSQL tells of a session that was at work when the process at its other end was killed.
CUT_SESSIONS = "postgres: .*connection to client lost"


def state_of(box) -> dict:
    return json.loads((box.data_dir / "run" / "state.json").read_text())


def wait_for(condition, what: str, timeout_seconds: float = 90) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, f"still waiting: {what}"
        time.sleep(0.01)


def attached(box, duckdb_home) -> duckdb.DuckDBPyConnection:
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute(f"LOAD ducklake; ATTACH '{box.attach_string}' AS lake")
    return client


@pytest.fixture
def dice(request):
    """A seeded random generator; the seed is printed, and BOATHOUSE_TEST_SEED sets it."""
    seed = int(os.environ.get("BOATHOUSE_TEST_SEED") or random.SystemRandom().randrange(2**32))
    print(f"BOATHOUSE_TEST_SEED={seed}")
    return random.Random(seed)


# Moments of a first start, each recognised by what is then on disk.
MOMENTS = {
    "before initdb": lambda data: (data / "run" / "boathouse.lock").exists(),
    "initdb begins": lambda data: (data / "postgres.new").exists(),
    "initdb has its files": lambda data: (data / "postgres.new" / "postgresql.conf").exists(),
    "initdb writes the system tables": lambda data: (data / "postgres.new" / "base" / "1" / "PG_VERSION").exists(),
    "the cluster has its name": lambda data: (data / "postgres" / "PG_VERSION").exists(),
    "PostgreSQL starts": lambda data: (data / "postgres" / "postmaster.pid").exists(),
    "roles and database are made": lambda data: "preparing the catalog" in text(data / "run" / "state.json"),
    "the lake is made": lambda data: "starting the engine" in text(data / "run" / "state.json"),
}


def text(path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


@pytest.mark.parametrize("moment", MOMENTS)
def test_first_start_killed_at_any_moment(new_box, duckdb_home, dice, moment):
    box = new_box(start=False)
    box.expect(f"{CUT_SESSIONS}|terminating connection|terminated by signal|was interrupted|not properly shut down")
    for _ in range(2):
        box.spawn()
        wait_for(lambda: MOMENTS[moment](box.data_dir) or box.is_ready(), moment)
        time.sleep(dice.uniform(0, 0.4))
        box.kill()
    box.start()
    client = attached(box, duckdb_home)
    client.execute("CREATE TABLE lake.t AS SELECT 42 AS answer")
    assert client.execute("SELECT answer FROM lake.t").fetchone() == (42,)
    assert not (box.data_dir / "postgres.new").exists()


def test_supervisor_killed_under_load(new_box, duckdb_home):
    box = new_box()
    box.expect(CUT_SESSIONS)
    attached(box, duckdb_home).execute("CREATE TABLE lake.t (i INTEGER)")
    for round_number in range(3):
        client = attached(box, duckdb_home)
        client.execute("INSERT INTO lake.t SELECT range::INTEGER FROM range(100)")
        box.kill()  # fails if a child lingers
        box.start()
        count, = attached(box, duckdb_home).execute("SELECT count(*) FROM lake.t").fetchone()
        assert count == 100 * (round_number + 1)


def test_stale_lock_files_with_a_living_process_number(new_box):
    """PostgreSQL alone would refuse: 'Is another postmaster (PID …) running in data directory …?'"""
    box = new_box()
    postmaster = box.child("postgres")
    psutil.Process(box.pid).suspend()  # so that it does not start another one
    postmaster.kill()  # else it would tidy up as it goes
    box.kill()
    owner = box.data_dir.stat().st_uid
    stranger = subprocess.Popen(["sleep", "600"], user=owner) if os.geteuid() == 0 else subprocess.Popen(["sleep", "600"])
    try:
        pid_file = box.data_dir / "postgres" / "postmaster.pid"
        lines = pid_file.read_text().splitlines(keepends=True)
        pid_file.write_text("".join([f"{stranger.pid}\n", *lines[1:]]))
        lock_file = box.data_dir / "run" / f".s.PGSQL.{box.catalog_port}.lock"
        lock_file.write_text("".join([f"{stranger.pid}\n", *lines[1:5]]))
        box.expect("not properly shut down")
        box.start()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_engine_killed(new_box, duckdb_home):
    box = new_box()
    box.expect(f"{CUT_SESSIONS}|the engine killed by signal 9")
    client = attached(box, duckdb_home)
    client.execute("CREATE TABLE lake.t (i INTEGER)")
    with psycopg.connect(box.dsn) as witness:
        postmaster = box.child("postgres").pid
        engine = box.child("boathouse-engine")
        engine.kill()
        wait_for(lambda: state_of(box)["engine"]["restarts"] == 1 and state_of(box)["phase"] == "ready", "the new engine")
        box.wait_ready()
        assert box.child("boathouse-engine").pid != engine.pid
        assert box.child("postgres").pid == postmaster
        assert witness.execute("SELECT 1").fetchone() == (1,), "a client of the catalog lost its connection"
    client.execute("INSERT INTO lake.t VALUES (1)")
    assert "killed by signal 9" in state_of(box)["engine"]["last_exit"]


def test_engine_that_keeps_dying_ends_the_box(new_box):
    box = new_box(settings={"BOATHOUSE_ENGINE_RESTART_MAX": "2"})
    box.expect(f"{CUT_SESSIONS}|the engine")
    killed = set()
    while box.process.poll() is None:
        pid = state_of(box)["engine"]["pid"]
        if pid and pid not in killed:
            killed.add(pid)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
    assert box.wait_exit() == 1
    assert "the engine died 3 times within 300 s" in box.log()
    state = state_of(box)
    assert state["phase"] == "failed" and "the engine died 3 times" in state["last_error"]
    assert "database system is shut down" in box.log(), "PostgreSQL was not stopped in order"


def test_configuration_that_the_engine_refuses_ends_the_box(new_box):
    box = new_box()
    box.stop()
    elsewhere = box.root / "elsewhere"
    box.flags = ["--data-path", f"{elsewhere}/"]
    box.expect("data path|engine")
    box.spawn()
    assert box.wait_exit() == 78
    assert "the engine refuses its configuration: " in box.log()
    assert state_of(box)["engine"]["restarts"] == 0
    assert "data path" in state_of(box)["last_error"].lower()


def test_postgresql_killed_under_writing_clients(new_box, duckdb_home):
    box = new_box()
    box.expect("postgres: |PostgreSQL killed by signal 9|engine: |http: ")
    attached(box, duckdb_home).execute("CREATE TABLE lake.ledger (id VARCHAR)")
    acknowledged: list[list[str]] = [[] for _ in range(WRITERS)]
    failures = [0] * WRITERS
    done = threading.Event()

    def write(number: int) -> None:
        client = None
        while not done.is_set():
            entry = str(uuid.uuid4())
            try:
                client = client or attached(box, duckdb_home)
                client.execute("INSERT INTO lake.ledger VALUES (?)", [entry])
                acknowledged[number].append(entry)
            except duckdb.Error:
                failures[number] += 1
                client = None
                done.wait(0.1)

    def total() -> int:
        return sum(map(len, acknowledged))

    def wait_for_inserts(count: int) -> None:
        enough = total() + count
        wait_for(lambda: total() >= enough, f"{enough} inserts", 180)

    def wait_for_return(death: int) -> None:
        wait_for(lambda: state_of(box)["postgres"]["restarts"] == death and state_of(box)["phase"] == "ready",
                 "PostgreSQL's return")

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        for death in (1, 2):
            wait_for_inserts(40)
            box.child("postgres").kill()
            wait_for_return(death)
        wait_for_inserts(40)
    finally:
        done.set()
        for writer in writers:
            writer.join()

    assert sum(failures) > 0, "no client noticed: PostgreSQL was not killed under load"
    client = attached(box, duckdb_home)
    rows = client.execute("SELECT id, count(*) FROM lake.ledger GROUP BY id").fetchall()
    assert {count for _, count in rows} == {1}, "an insert is there twice"
    missing = {entry for entries in acknowledged for entry in entries} - {entry for entry, _ in rows}
    assert not missing, f"{len(missing)} acknowledged inserts are lost"
    box.wait_ready()


def test_backend_killed(new_box, duckdb_home):
    """A backend's crash makes PostgreSQL restart all backends by itself: the box only watches."""
    box = new_box()
    box.expect("postgres: |engine: |http: ")
    postmaster = box.child("postgres")
    with psycopg.connect(box.dsn) as victim:
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            victim.execute("SELECT 1")
    wait_for(lambda: box.log().count("database system is ready to accept connections") == 2, "PostgreSQL's recovery")
    assert box.child("postgres").pid == postmaster.pid
    attached(box, duckdb_home).execute("CREATE TABLE lake.t (i INTEGER)")


@needs_root
def test_disk_full_while_running(new_box, duckdb_home):
    box = new_box(start=False)
    box.expect(".*")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", box.data_dir], check=True)
    try:
        box.start()
        client = attached(box, duckdb_home)
        client.execute("CREATE TABLE lake.t AS SELECT range AS i FROM range(10)")
        filler = box.data_dir / "lake" / "filler"
        with open(filler, "wb") as file, pytest.raises(OSError):
            while True:
                file.write(b"\0" * (1 << 20))
                file.flush()
        with pytest.raises(duckdb.Error):
            client.execute("INSERT INTO lake.t SELECT range FROM range(5_000_000)")
        filler.unlink()
        wait_for(lambda: box.is_ready(), "readiness after space was freed")
        client = attached(box, duckdb_home)
        client.execute("INSERT INTO lake.t SELECT range FROM range(1000)")
        assert client.execute("SELECT count(*) FROM lake.t").fetchone() == (1010,)
        client.close()
        assert box.stop() == 0
    finally:
        for child in box.children():
            child.kill()
        subprocess.run(["umount", "--lazy", box.data_dir], check=True)


def test_an_engine_whose_duckdb_has_broken_starts_again(boathouse):
    """A commit for which the catalog holds NULL where a number belongs ends in an internal error, after which DuckDB refuses
    all."""
    with running(boathouse) as box, catalog_superuser(box) as owner:
        where = {"host": box.host, "port": box.sql_port, "user": box.user, "password": box.password, "dbname": "lake"}
        box.expect(f"{CUT_SESSIONS}|DuckDB has given up after an internal error")
        with psycopg.connect(**where, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS a")
            connection.execute("CREATE TABLE broken AS SELECT 1 AS a FROM range(20000)")
            owner.execute("UPDATE ducklake_table_stats SET next_row_id = NULL")
            with pytest.raises(psycopg.Error):
                connection.execute("INSERT INTO broken SELECT 2 FROM range(20000)")
            # This session is cut.
            wait_for(lambda: not answers(connection), "the engine's end")
        owner.execute("UPDATE ducklake_table_stats SET next_row_id = 20000")
        wait_for(lambda: can_log_in(where), "a new engine")
        with psycopg.connect(**where, autocommit=True) as connection:
            assert connection.execute("SELECT a FROM kept").fetchone() == (42,)
            connection.execute("INSERT INTO broken SELECT 2 FROM range(20000)")
            assert connection.execute("SELECT count(*) FROM broken").fetchone() == (40000,)


def test_rows_that_cannot_be_read_in_the_catalog_cost_one_statement(new_box):
    """PostgreSQL's session ends while the engine waits for them; or they hold what does not come back from there."""
    box = new_box()
    box.expect("postgres: .*terminating connection due to administrator command")
    engine = box.child("boathouse-engine").pid
    where = {"host": box.host, "port": box.sql_port, "user": box.user, "password": box.password, "dbname": "lake"}
    with (psycopg.connect(**where, autocommit=True) as client, catalog_superuser(box) as holder,
          catalog_superuser(box) as owner, ThreadPoolExecutor(1) as reader):
        client.execute("CREATE TABLE kept (a int)")
        client.execute("INSERT INTO kept VALUES (42)")
        inlined, = owner.execute("SELECT table_name FROM ducklake_inlined_data_tables").fetchone()
        with holder.transaction():
            holder.execute(f"LOCK TABLE {inlined}")
            reading = reader.submit(client.execute, "SELECT a FROM kept")
            waits = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
            wait_for(lambda: owner.execute(waits, [inlined]).fetchone(), "the read")
            owner.execute(f"SELECT pg_terminate_backend(pid) FROM ({waits}) AS waiting", [inlined])
            with pytest.raises(psycopg.errors.IoError, match="cannot read the rows of this table that lie in the catalog"):
                reading.result()
        client.execute("CREATE TABLE unreadable (a json[])")
        client.execute("""INSERT INTO unreadable VALUES (['{"a": 1}'::json])""")
        with pytest.raises(psycopg.errors.IoError, match="cannot read the rows of this table that lie in the catalog"):
            client.execute("SELECT a FROM unreadable")
        assert client.execute("SELECT a FROM kept").fetchone() == (42,)
    assert box.child("boathouse-engine").pid == engine


def catalog_superuser(box) -> psycopg.Connection:
    """By the private socket."""
    return psycopg.connect(host=str(box.data_dir / "run"), port=box.catalog_port, user="boathouse", dbname=box.database,
                           autocommit=True)


def answers(connection: psycopg.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return not connection.closed
    except psycopg.Error:
        return True  # DuckDB refuses, the engine is there still
    return True


def can_log_in(where: dict) -> bool:
    try:
        with psycopg.connect(**where, autocommit=True) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False
