"""psycopg 3 against the SQL door: parameters, types, transactions, pipelines, cursors."""

import threading
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest


@pytest.fixture
def connect(box):
    def open_one(**options):
        options = {"dbname": "lake", "autocommit": True} | options
        return psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, **options)

    return open_one


@pytest.fixture
def lake(connect):
    with connect() as connection:
        yield connection


@pytest.fixture
def table(lake):
    lake.execute("CREATE TABLE psycopg_rows (id int, name text, price numeric(10,2), seen timestamptz, tags text[])")
    yield "psycopg_rows"
    lake.execute("DROP TABLE psycopg_rows")


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("value", [
    True, 1, -(2**40), 1.5, Decimal("12.34"), "text with 'quotes' and ü", b"\x00\xff", date(2024, 2, 29),
    datetime(2024, 2, 29, 12, 30, 15, 250000), datetime(2024, 2, 29, 12, 30, tzinfo=UTC), timedelta(days=3, seconds=7),
    UUID("12345678-1234-5678-1234-567812345678"), None, [1, 2, 3], ["a", None, "b,c"],
], ids=repr)
def test_values_round_trip(lake, value, binary):
    placeholder = "%b" if binary else "%t"
    casts = {bool: "bool", int: "int8", float: "float8", Decimal: "decimal(10,2)", str: "text", bytes: "bytea", date: "date",
             timedelta: "interval", UUID: "uuid", type(None): "int4"}
    cast = casts.get(type(value))
    if isinstance(value, datetime):
        cast = "timestamptz" if value.tzinfo else "timestamp"
    if isinstance(value, list):
        cast = "int[]" if isinstance(value[0], int) else "text[]"
    with lake.cursor(binary=binary) as cursor:
        answer = cursor.execute(f"SELECT {placeholder}::{cast}", [value]).fetchone()[0]
    assert answer == value
    assert type(answer) is type(value)


def test_rows_in_and_out(lake, table):
    rows = [(1, "one", Decimal("1.10"), datetime(2024, 1, 1, tzinfo=UTC), ["x", "y"]), (2, None, None, None, None)]
    with lake.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s, %s, %s)", rows)
        assert cursor.rowcount == 2
    assert lake.execute(f"SELECT * FROM {table} ORDER BY id").fetchall() == rows
    updated = lake.execute(f"UPDATE {table} SET name = %s WHERE id = %s", ["two", 2])
    assert updated.rowcount == 1
    assert lake.execute(f"SELECT id FROM {table} WHERE name = ANY(%s::text[])", [["two"]]).fetchall() == [(2,)]


def test_transaction_contexts(connect, table):
    with connect(autocommit=False) as connection:
        with connection.transaction():
            connection.execute(f"INSERT INTO {table} (id) VALUES (1)")
        with pytest.raises(psycopg.errors.UndefinedColumn), connection.transaction():
            connection.execute(f"INSERT INTO {table} (id) VALUES (2)")
            connection.execute("SELECT nothing")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert connection.execute(f"SELECT id FROM {table}").fetchall() == [(1,)]
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


def test_failed_transaction(connect):
    with connect(autocommit=False) as connection:
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM no_such_table")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT 1")
        connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(("statement", "error"), [
    ("SELEC 1", psycopg.errors.SyntaxError),
    ("SELECT * FROM missing_table", psycopg.errors.UndefinedTable),
    ("SELECT missing", psycopg.errors.UndefinedColumn),
    ("SELECT missing_function(1)", psycopg.errors.UndefinedFunction),
    ("SELECT 'x'::int", psycopg.errors.InvalidTextRepresentation),
    ("SELECT 300::int2 * 300::int2", psycopg.errors.NumericValueOutOfRange),
    ("SAVEPOINT a", psycopg.errors.NoActiveSqlTransaction),
    ("LOAD httpfs", psycopg.errors.InsufficientPrivilege),
])
def test_errors_have_their_sqlstate(lake, statement, error):
    with pytest.raises(error):
        lake.execute(statement)
    assert lake.execute("SELECT 1").fetchone() == (1,)


def test_prepared_statement_survives_a_schema_change(lake, table):
    query = f"SELECT count(*) FROM {table} WHERE id > %s"
    for _ in range(3):
        assert lake.execute(query, [0], prepare=True).fetchone() == (0,)
    lake.execute(f"ALTER TABLE {table} ADD COLUMN more int")
    lake.execute(f"INSERT INTO {table} (id) VALUES (1)")
    assert lake.execute(query, [0], prepare=True).fetchone() == (1,)


def test_pipeline_is_one_transaction(lake, table):
    with pytest.raises(psycopg.errors.UndefinedColumn), lake.pipeline():
        lake.execute(f"INSERT INTO {table} (id) VALUES (1)")
        lake.execute("SELECT nothing")
    assert lake.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    with lake.pipeline():
        cursors = [lake.execute(f"INSERT INTO {table} (id) VALUES (%s)", [number]) for number in range(5)]
    assert [cursor.rowcount for cursor in cursors] == [1] * 5
    assert lake.execute(f"SELECT count(*) FROM {table}").fetchone() == (5,)


def test_large_result_streams(lake):
    with lake.cursor(binary=True) as cursor:
        rows = cursor.stream("SELECT i, 'row ' || i FROM range(200000) AS t(i)")
        total = 0
        for number, text in rows:
            total += number
            assert text == f"row {number}"
    assert total == sum(range(200000))


def test_result_given_up_halfway(lake):
    with lake.cursor() as cursor:
        for row in cursor.stream("SELECT i FROM range(10000000) AS t(i)"):
            if row[0] == 1000:
                break
    assert lake.execute("SELECT 1").fetchone() == (1,)


def test_cancel(lake):
    ended = threading.Event()

    def cancel() -> None:
        while not ended.wait(0.3):  # the first may come before the statement has begun
            lake.cancel_safe()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        with pytest.raises(psycopg.errors.QueryCanceled):
            lake.execute("SELECT count(*) FROM range(100000000000) AS a(i) WHERE i % 7 = 3")
    finally:
        ended.set()
        canceller.join()
    assert lake.execute("SELECT 1").fetchone() == (1,)


def test_clients_that_vanish_leave_nothing(connect, box):
    connections = [connect() for _ in range(20)]
    for connection in connections:
        connection.pgconn.send_query(b"SELECT i FROM range(100000000) AS t(i)")
        connection.close()
    with connect() as connection:
        deadline = time.monotonic() + 30
        while connection.execute("SELECT count(*) FROM range(1000)").fetchone() != (1000,):
            assert time.monotonic() < deadline


def test_time_zone(lake):
    lake.execute("SET TIME ZONE 'America/New_York'")
    assert lake.execute("SELECT '2024-07-01 12:00:00+00'::timestamptz::text").fetchone() == ("2024-07-01 08:00:00-04",)
    assert lake.info.parameter_status("TimeZone") == "America/New_York"


def test_changed_password_counts_at_once(box, connect):
    with psycopg.connect(box.dsn, autocommit=True) as catalog:
        catalog.execute("CREATE ROLE door_changing LOGIN PASSWORD 'first-one' IN ROLE lake_admin")
        try:
            arguments = {"host": box.host, "port": box.sql_port, "user": "door_changing", "dbname": "lake"}
            psycopg.connect(**arguments, password="first-one").close()
            catalog.execute("ALTER ROLE door_changing PASSWORD 'second-one'")
            psycopg.connect(**arguments, password="second-one").close()
            box.expect("refused: wrong password")
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(**arguments, password="first-one")
        finally:
            catalog.execute("DROP ROLE door_changing")


def test_dialect(lake):
    cursor = lake.execute("SELECT count(*), 7 / 2, NULL::int AS n, 1 + 1, upper('a'), CASE WHEN true THEN 1 END")
    assert [column.name for column in cursor.description] == ["count", "?column?", "n", "?column?", "upper", "case"]
    assert cursor.fetchone() == (1, 3, None, 2, "A", 1)
    ordered = lake.execute("SELECT v FROM (VALUES (1), (NULL), (2)) AS t(v) ORDER BY v DESC").fetchall()
    assert ordered == [(None,), (2,), (1,)]
    lake.execute("SET boathouse.dialect = 'duckdb'")
    assert lake.execute("SELECT 7 / 2").fetchone() == (3.5,)
