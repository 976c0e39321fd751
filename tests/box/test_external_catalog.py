"""A box whose catalog is somebody else's PostgreSQL: its role may create roles and is no superuser, as with a managed one."""

import contextlib
import json
import subprocess
import time
from pathlib import Path

import duckdb
import psutil
import psycopg
import pytest
from box_process import Box
from plain_postgres import PlainPostgres

ROLE_PASSWORD = "of the cloud: 100%"
URL_PASSWORD = "of%20the%20cloud:%20100%25"


@pytest.fixture(scope="module")
def server():
    """The PostgreSQL, with the roles `cloud`, which may create roles, and `tenant`, which may not; a database for each."""
    server = PlainPostgres(max_prepared_transactions="2")
    try:
        server.start()
        server.execute(f"CREATE ROLE cloud LOGIN CREATEROLE PASSWORD '{ROLE_PASSWORD}'", "CREATE DATABASE leased OWNER cloud",
                       f"CREATE ROLE tenant LOGIN PASSWORD '{ROLE_PASSWORD}'", "CREATE DATABASE rented OWNER tenant")
        yield server
    finally:
        server.discard()


def catalog_url(server, role: str, database: str) -> str:
    return f"postgresql://{role}:{URL_PASSWORD}@{server.host}:{server.port}/{database}"


@contextlib.contextmanager
def guest_of(boathouse, server, role: str, database: str):
    box = Box(boathouse, settings={"BOATHOUSE_CATALOG": catalog_url(server, role, database)})
    try:
        yield box
    finally:
        box.discard()


@pytest.fixture(scope="module")
def guest(boathouse, server):
    """A box on the database of `cloud`, which it found empty."""
    with guest_of(boathouse, server, "cloud", "leased") as box:
        yield box.start()


@pytest.fixture
def attached(server, duckdb_home):
    """A function that gives a DuckDB client of `user`, attached to the lake."""
    clients = []

    def attach(user: str = "cloud", password: str = ROLE_PASSWORD) -> duckdb.DuckDBPyConnection:
        clients.append(duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")}))
        clients[-1].execute(f"LOAD ducklake; ATTACH 'ducklake:postgres:host={server.host} port={server.port} user={user} "
                            f"password=''{password}'' dbname=leased' AS lake")
        return clients[-1]

    yield attach
    for client in clients:
        client.close()


def command(box, name: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess:
    return subprocess.run([box.binary, name, *arguments, "--data-dir", box.data_dir], input=text, env=box.environment,
                          capture_output=True, text=True, timeout=120)


def listed(box) -> dict[str, str]:
    return {entry["name"]: entry["role"] for entry in json.loads(command(box, "user", "list", "--json").stdout)}


def test_serves_a_lake_that_it_makes_there(guest, attached):
    assert [Path(child.exe()).name for child in psutil.Process(guest.pid).children()] == ["boathouse-engine"]
    assert not (guest.data_dir / "postgres").exists()
    assert "DuckLake catalog initialized: version 1.0" in guest.log()
    client = attached()
    client.execute("CREATE TABLE lake.kept AS SELECT range AS i FROM range(1000)")
    assert client.execute("SELECT count(*), sum(i) FROM lake.kept").fetchone() == (1000, 499500)
    status = json.loads(command(guest, "status", "--json").stdout)
    assert (status["ready"], status["catalog_port"]) == (True, 0)


def test_opens_the_lake_again(guest, attached):
    attached().execute("CREATE TABLE lake.stays AS SELECT 42 AS answer")
    guest.restart()
    assert "DuckLake catalog opened" in guest.log()
    assert attached().execute("SELECT answer FROM lake.stays").fetchone() == (42,)


def test_its_users_from_making_to_end(guest, attached):
    added = command(guest, "user", "add", "ana", "--role", "reader", "--password-file", "-", text="first\n")
    assert added.returncode == 0, added.stderr
    generated = command(guest, "user", "add", "ben", "--generate")
    assert generated.returncode == 0, generated.stderr
    assert listed(guest) | {"ana": "reader", "ben": "writer"} == listed(guest)

    writer = attached("ben", generated.stdout.strip())
    writer.execute("CREATE TABLE lake.bens (i INTEGER)")
    writer.execute("INSERT INTO lake.bens VALUES (1)")  # inlined: a table of the catalog that ben has made
    reader = attached("ana", "first")
    assert reader.execute("SELECT i FROM lake.bens").fetchall() == [(1,)]
    with pytest.raises(duckdb.Error, match="permission denied"):
        reader.execute("INSERT INTO lake.bens VALUES (2)")

    changed = command(guest, "user", "password", "ana", "--password-file", "-", text="second\n")
    assert changed.returncode == 0, changed.stderr
    with pytest.raises(duckdb.Error, match="password authentication failed"):
        attached("ana", "first")
    attached("ana", "second")

    for name in ("ana", "ben"):  # while their sessions are open, and ben owns a table
        removed = command(guest, "user", "remove", name)
        assert removed.returncode == 0, removed.stderr
    assert listed(guest).keys().isdisjoint({"ana", "ben"})
    assert attached().execute("SELECT i FROM lake.bens").fetchall() == [(1,)]


def test_the_doctor_finds_a_prepared_transaction_that_nobody_ended(guest, server):
    def locks() -> list[dict]:
        report = json.loads(command(guest, "doctor", "--json").stdout)
        return [finding for finding in report["findings"] if finding["check"] == "locks"]

    assert [finding["level"] for finding in locks()] == ["ok"]
    server.execute("BEGIN; LOCK TABLE ducklake_tag IN SHARE MODE; PREPARE TRANSACTION 'left by nobody''s client'",
                   database="leased")
    [finding] = locks()
    assert finding["level"] == "warning"
    assert "the prepared transaction 'left by nobody''s client' of postgres was made at " in finding["message"]
    server.execute(finding["hint"].partition(": ")[2], database="leased")
    assert [finding["level"] for finding in locks()] == ["ok"]


def test_its_version_is_guarded_until_a_migration_is_allowed(guest, server):
    with psycopg.connect(server.dsn("leased"), autocommit=True) as owner:
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="boathouse migrate"):
            owner.execute("UPDATE ducklake_metadata SET value = '1.1' WHERE key = 'version'")
    shown = command(guest, "migrate")
    assert shown.returncode == 0, shown.stderr
    assert "catalog    version 1.0" in shown.stdout and "guard      active" in shown.stdout
    allowed = command(guest, "migrate", "--allow", "--yes")
    assert allowed.returncode == 0, allowed.stderr
    dump, = (guest.data_dir / "backups").iterdir()
    assert str(dump) in allowed.stdout and dump.stat().st_mode & 0o777 == 0o600
    assert dump.read_bytes().startswith(b"PGDMP")
    assert "guard      lifted" in command(guest, "migrate").stdout
    assert "guard      active" in command(guest, "migrate", "--lock").stdout
    assert ROLE_PASSWORD not in shown.stdout + allowed.stdout + allowed.stderr


def test_an_engine_waits_for_a_catalog_that_lets_nobody_in(guest, server):
    guest.expect("supervisor: the engine killed|http: not ready")
    restarts = restarts_of_engine(guest)
    engine = guest.child("boathouse-engine")
    server.execute("ALTER DATABASE leased ALLOW_CONNECTIONS false")
    try:
        guest.begin_test()
        engine.kill()
        wait_for(lambda: "waiting for the catalog" in guest.test_log(), "the engine's word")
        assert not guest.is_ready()
    finally:
        server.execute("ALTER DATABASE leased ALLOW_CONNECTIONS true")
    wait_for(guest.is_ready, "the engine")
    assert restarts_of_engine(guest) == restarts + 1


def restarts_of_engine(box) -> int:
    return json.loads((box.data_dir / "run" / "state.json").read_text())["engine"]["restarts"]


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, f"still waiting: {what}"
        time.sleep(0.05)


def test_a_role_that_may_not_create_roles_serves_and_says_so(boathouse, server):
    with guest_of(boathouse, server, "tenant", "rented") as box:
        box.expect('role "tenant" may not create roles in the external catalog')
        box.start()
        refused = command(box, "user", "add", "eve", "--generate")
        assert refused.returncode == 77, refused.stderr
        assert "permission denied to create role" in refused.stderr and refused.stdout == ""
        assert box.stop() == 0


@pytest.mark.parametrize("name", ["user", "migrate"])
def test_commands_need_the_url_again(guest, name):
    arguments = ["list"] if name == "user" else []
    environment = {key: value for key, value in guest.environment.items() if key != "BOATHOUSE_CATALOG"}
    done = subprocess.run([guest.binary, name, *arguments, "--data-dir", guest.data_dir], env=environment,
                          capture_output=True, text=True, timeout=240)
    assert done.returncode == 78
    assert "external catalog" in done.stderr and "BOATHOUSE_CATALOG" in done.stderr
