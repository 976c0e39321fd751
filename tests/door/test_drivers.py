"""What drivers and ORMs make of cursors and savepoints: psycopg's server-side cursors and nested
transactions, psql's ON_ERROR_ROLLBACK."""

import os
import subprocess

import psycopg
import pytest


@pytest.fixture
def connection(box):
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake") as opened:
        yield opened


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_psycopg_server_side_cursor(connection, binary):
    with connection.cursor("ours", binary=binary) as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT i, 'row ' || i FROM range(1000) AS t(i) WHERE i >= %s", [10])
        assert next(column.name for column in cursor.description) == "i"
        assert cursor.fetchone() == (10, "row 10")
        assert cursor.fetchmany(2) == [(11, "row 11"), (12, "row 12")]
        cursor.scroll(5)
        assert cursor.fetchone() == (18, "row 18")
        assert len(cursor.fetchall()) == 981
    with connection.cursor("again") as cursor:
        cursor.itersize = 7
        assert [row[0] for row in cursor.execute("SELECT i FROM range(50) AS t(i)")] == list(range(50))


def test_psycopg_held_cursor_and_backwards(connection):
    cursor = connection.cursor("held", withhold=True)
    cursor.execute("SELECT i FROM range(10) AS t(i)")
    connection.commit()
    assert cursor.fetchmany(3) == [(0,), (1,), (2,)]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        cursor.scroll(-1)
    connection.rollback()
    with pytest.raises(psycopg.errors.FeatureNotSupported), connection.cursor("back", scrollable=True) as scrolling:
        scrolling.execute("SELECT 1")


def test_psycopg_nested_transactions(connection):
    connection.execute("CREATE TABLE nested (id int)")
    connection.commit()
    try:
        with connection.transaction():
            connection.execute("INSERT INTO nested VALUES (1)")
            with pytest.raises(psycopg.errors.UndefinedColumn), connection.transaction():
                connection.execute("SELECT nothing")
            with connection.transaction():
                connection.execute("INSERT INTO nested VALUES (2)")
        assert connection.execute("SELECT count(*) FROM nested").fetchone() == (2,)
    finally:
        connection.rollback()
        connection.execute("DROP TABLE nested")
        connection.commit()


def test_psql_on_error_rollback(box):
    script = ("CREATE TABLE psql_rollback (id int);\nBEGIN;\nINSERT INTO psql_rollback VALUES (1);\nSELECT nothing;\n"
              "INSERT INTO psql_rollback VALUES (2);\nCOMMIT;\nSELECT count(*) AS kept FROM psql_rollback;\n"
              "DROP TABLE psql_rollback;\n")
    done = subprocess.run(["psql", "-X", "-At", "-v", "ON_ERROR_ROLLBACK=on",
                           f"host={box.host} port={box.sql_port} user={box.user} dbname=lake"], input=script, text=True,
                          capture_output=True, env=os.environ | {"PGPASSWORD": box.password}, timeout=120)
    assert "nothing" in done.stderr and done.returncode == 0
    assert done.stdout.splitlines()[-2:] == ["2", "DROP TABLE"]
