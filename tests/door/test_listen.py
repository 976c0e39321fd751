"""LISTEN lake_changes: who hears of which commit, and when."""

import json
import time

import psycopg
import pytest
from wire import Wire

DEADLINE_SECONDS = 60


@pytest.fixture
def listener(box):
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                         autocommit=True) as connection:
        yield connection


@pytest.fixture
def table(door, request):
    name = "listen_" + request.node.name
    door.run(f"CREATE TABLE {name} (id int)")
    yield name
    door.run(f"DROP TABLE IF EXISTS {name}")


def heard(connection, table):
    """The next notification that names the table; those of other commits are passed over."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        for notification in connection.notifies(timeout=1, stop_after=1):
            assert notification.channel == "lake_changes"
            payload = json.loads(notification.payload)
            if f"main.{table}" in payload["tables"]:
                return payload
    raise AssertionError(f"nothing was heard of {table}")


def newest(connection):
    return connection.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()[0]


def test_an_idle_client_hears_of_commits(door, listener, table):
    listener.execute("LISTEN lake_changes")
    door.run(f"INSERT INTO {table} VALUES (1)")
    assert heard(listener, table) == {"snapshot": newest(listener), "tables": [f"main.{table}"]}
    door.run(f"ALTER TABLE {table} ADD COLUMN name text")
    assert heard(listener, table)["snapshot"] == newest(listener)
    door.run(f"DROP TABLE {table}")
    assert heard(listener, table)["snapshot"] == newest(listener)


def test_one_hears_of_direct_clients_and_of_oneself(box, duckdb_home, listener, table):
    import duckdb
    listener.execute("LISTEN lake_changes")
    listener.execute(f"INSERT INTO {table} VALUES (1)")
    own = heard(listener, table)["snapshot"]
    direct = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    direct.execute(f"LOAD ducklake; LOAD postgres; ATTACH '{box.attach_string}' AS lake")
    direct.execute(f"INSERT INTO lake.{table} VALUES (2)")
    assert heard(listener, table)["snapshot"] > own


def test_nothing_comes_within_a_transaction(door, listener, table):
    listener.execute("LISTEN lake_changes")
    listener.execute("BEGIN")
    door.run(f"INSERT INTO {table} VALUES (1)")
    for _ in range(3):
        assert not list(listener.notifies(timeout=0.2))
        listener.execute("SELECT 1")
    listener.execute("COMMIT")
    assert heard(listener, table)


def test_listening_begins_at_commit(door, listener, table):
    listener.execute("BEGIN; LISTEN lake_changes; ROLLBACK")
    listener.execute("BEGIN; LISTEN lake_changes; COMMIT")
    door.run(f"INSERT INTO {table} VALUES (1)")
    assert heard(listener, table)


@pytest.mark.parametrize("end", ["UNLISTEN lake_changes", "UNLISTEN *", "DISCARD ALL", "BEGIN; UNLISTEN *; COMMIT"])
def test_who_has_ended_it_hears_nothing(box, door, listener, end):
    name = "listen_ended_" + str(abs(hash(end)))
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                         autocommit=True) as other:
        for one in (listener, other):
            one.execute("LISTEN lake_changes")
        for statement in end.split("; "):
            listener.execute(statement)
        door.run(f"CREATE TABLE {name} (id int)")
        assert heard(other, name)  # whoever still listened would have heard by now
        listener.execute("SELECT 1")
        assert not list(listener.notifies(timeout=0.2))
        door.run(f"DROP TABLE {name}")


def test_only_tables_that_one_may_see_are_named(box, door, table):
    hidden = table + "_hidden"
    door.run("CREATE ROLE listen_reader LOGIN PASSWORD 'a-fine-password'")
    door.run("GRANT CONNECT ON DATABASE lake TO listen_reader")
    door.run(f"GRANT SELECT (id) ON {table} TO listen_reader")
    with psycopg.connect(host=box.host, port=box.sql_port, user="listen_reader", password="a-fine-password",
                         dbname="lake", autocommit=True) as reader:
        reader.execute("LISTEN lake_changes")
        door.run(f"CREATE TABLE {hidden} (id int)")
        door.run("BEGIN")
        door.run(f"INSERT INTO {hidden} VALUES (1)")
        door.run(f"INSERT INTO {table} VALUES (1)")
        door.run("COMMIT")
        notification = next(reader.notifies(timeout=DEADLINE_SECONDS, stop_after=1))
        assert json.loads(notification.payload)["tables"] == [f"main.{table}"]
    door.run(f"DROP TABLE {hidden}")


def test_notifications_come_between_statements(box, table):
    """By the bytes: never between a statement's rows and its end."""
    with Wire(box) as own:
        own.log_in()
        own.run("LISTEN lake_changes")
        own.run(f"INSERT INTO {table} VALUES (1)")
        deadline = time.monotonic() + DEADLINE_SECONDS
        kinds = []
        while "A" not in kinds:
            assert time.monotonic() < deadline
            kinds = [kind for kind, _ in own.run("SELECT 1")]
        at = kinds.index("A")
        assert at < kinds.index("T") or at > kinds.index("C"), kinds
        assert kinds[-1] == "Z"


def test_other_channels_are_refused(door):
    refused = door.error("LISTEN channel")
    assert refused["C"] == "0A000" and "lake_changes" in refused["H"]
    assert door.error("NOTIFY lake_changes")["C"] == "0A000"
    assert door.tags("UNLISTEN channel") == ["UNLISTEN"]
