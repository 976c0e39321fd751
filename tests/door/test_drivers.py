"""What drivers and ORMs make of cursors, savepoints, notices and parameters: psycopg's server-side cursors, nested
transactions and pipelines, plain and asynchronous, psql's ON_ERROR_ROLLBACK."""

import asyncio
import datetime
import os
import subprocess
from decimal import Decimal

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


@pytest.fixture
def table(connection):
    """A table (id int, name text, price numeric(10, 2)) of the test's own."""
    connection.autocommit = True
    connection.execute("CREATE TABLE driven (id int, name text, price numeric(10, 2))")
    yield "driven"
    connection.execute("DROP TABLE driven")


def test_psycopg_pipeline(connection, table):
    with connection.pipeline():
        first = connection.execute("INSERT INTO driven VALUES (%s, %s, %s) RETURNING id", [1, "one", "1.5"])
        connection.cursor().executemany("INSERT INTO driven (id) VALUES (%s)", [[2], [3]])
        last = connection.execute("SELECT count(*) FROM driven")
        assert first.fetchone() == (1,)
        assert last.fetchone() == (3,)
    with pytest.raises(psycopg.errors.UndefinedTable), connection.pipeline() as pipeline:
        connection.execute("INSERT INTO driven (id) VALUES (4)")
        connection.execute("SELECT * FROM nowhere")
        pipeline.sync()
    assert connection.execute("SELECT count(*) FROM driven").fetchone() == (3,)  # what shares a Sync shares its fate


def test_psycopg_notices(connection, table):
    told = []
    connection.add_notice_handler(lambda notice: told.append((notice.severity, notice.sqlstate, notice.message_primary)))
    connection.execute("SELECT id FROM driven FOR UPDATE")
    connection.execute("COMMIT")
    assert [(severity, sqlstate) for severity, sqlstate, _ in told] == [("NOTICE", "00000"), ("WARNING", "25P01")]
    assert "row locks" in told[0][2]
    connection.execute("SET client_min_messages = error")
    connection.execute("COMMIT")
    assert len(told) == 2


def test_psycopg_async(box, table):
    async def work():
        async with await psycopg.AsyncConnection.connect(
                host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake") as connection:
            await connection.execute("INSERT INTO driven (id) SELECT i FROM range(%s) AS t(i)", [100])
            async with connection.cursor("ours") as cursor:
                await cursor.execute("SELECT id FROM driven WHERE id >= %s ORDER BY id", [90])
                rows = [row[0] async for row in cursor]
            running = asyncio.create_task(connection.execute("SELECT sum(a.range) FROM range(1000000) a, range(1000000) b"))
            while not running.done():  # the first may come before the statement has begun
                await connection.cancel_safe()
                await asyncio.sleep(0.05)
            with pytest.raises(psycopg.errors.QueryCanceled):
                await running
            await connection.rollback()
            return rows

    assert asyncio.run(work()) == list(range(90, 100))


# What DuckDB cannot infer: psycopg sends texts and lists of texts without a type.
@pytest.mark.parametrize("query, parameters, rows", [
    ("SELECT %s + id FROM driven", ["1"], [(8,)]),
    ("SELECT id / %s, -%s + id FROM driven", ["2", "3"], [(3, 4)]),
    ("SELECT 'a' || %s, %s::date - 1", ["b", "2024-03-01"], [("ab", datetime.date(2024, 2, 29))]),
    ("SELECT id FROM driven WHERE name = ANY(%s)", [["seven", "eight"]], [(7,)]),
    ("SELECT name FROM driven WHERE id = ANY(%s) AND price < %s", ["{7,8}", "8"], [("seven",)]),
    ("UPDATE driven SET price = price + %s WHERE id = ANY(%s) RETURNING price", ["1", [7]],
     [(Decimal("8.50"),)]),
    ("SELECT count(*) FROM range(%s::bigint) AS t(i)", [5], [(5,)]),
    ("SELECT upper(%s), length(%s)", ["abc", "defg"], [("ABC", 4)]),
    ("SELECT interval '1 day' * %s, %s * interval '2 days'", ["2", "1.5"],
     [(datetime.timedelta(days=2), datetime.timedelta(days=3))]),
    ("SELECT id / %s, interval '1 day' / %s, price * %s + %s FROM driven", ["2", "2", "2", "0.25"],
     [(3, datetime.timedelta(hours=12), Decimal("15.25"))]),
])
def test_psycopg_parameters_without_a_type(connection, table, query, parameters, rows):
    connection.execute("INSERT INTO driven VALUES (7, 'seven', 7.5)")
    assert connection.execute(query, parameters).fetchall() == rows


def test_parameters_that_nothing_tells(connection):
    with pytest.raises(psycopg.errors.IndeterminateDatatype, match=r"\$1"):
        connection.execute("SELECT %s * %s", ["2", "3"])


def test_psql_on_error_rollback(box):
    script = ("CREATE TABLE psql_rollback (id int);\nBEGIN;\nINSERT INTO psql_rollback VALUES (1);\nSELECT nothing;\n"
              "INSERT INTO psql_rollback VALUES (2);\nCOMMIT;\nSELECT count(*) AS kept FROM psql_rollback;\n"
              "DROP TABLE psql_rollback;\n")
    done = subprocess.run(["psql", "-X", "-At", "-v", "ON_ERROR_ROLLBACK=on",
                           f"host={box.host} port={box.sql_port} user={box.user} dbname=lake"], input=script, text=True,
                          capture_output=True, env=os.environ | {"PGPASSWORD": box.password}, timeout=120)
    assert "nothing" in done.stderr and done.returncode == 0
    assert done.stdout.splitlines()[-2:] == ["2", "DROP TABLE"]
