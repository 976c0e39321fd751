"""psycopg2: the simple protocol with values written into the text, execute_values, named cursors, autocommit."""

import datetime
import decimal
import io
import uuid

import psycopg2
import psycopg2.extras
import pytest

import value_table
from value_table import same


@pytest.fixture
def connect(door):
    made = []

    def connect(where=door):
        made.append(psycopg2.connect(**where))
        psycopg2.extras.register_uuid(conn_or_curs=made[-1])
        return made[-1]

    yield connect
    for connection in made:
        connection.close()


def test_values(connect, postgres):
    lake, other = connect(), connect(postgres)
    wrong = []
    for case in value_table.cases():
        with lake.cursor() as mine, other.cursor() as theirs:
            for cursor in (mine, theirs):
                cursor.execute("SET TIME ZONE 'UTC'")
            mine.execute(case.select_from_door)
            theirs.execute(case.select_from_postgres)
            mine, right = mine.fetchone(), theirs.fetchone()
            if not same(mine, right):
                wrong.append(f"{case}: {mine!r} instead of {right!r}")
    assert wrong == []


def test_parameters(connect, new_table):
    new_table("psycopg2_types", "a bool, b bigint, c float8, d numeric(10,2), e text, f bytea, g date, h timestamp, "
                                "i timestamptz, j interval, k uuid, l int[], m text[], n json")
    psycopg2.extras.register_default_json(globally=False, conn_or_curs=(connection := connect()))
    row = (True, 2**40, 1.25, decimal.Decimal("12.34"), "it's a \\ text", b"\x00\xff'\\", datetime.date(2024, 2, 29),
           datetime.datetime(2024, 2, 29, 12, 30), datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC),
           datetime.timedelta(days=3, seconds=7), uuid.uuid4(), [1, None, 3], ["a", "b,c", None], {"a": [1, None]})
    with connection, connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        places = ", ".join(["%s"] * len(row))
        cursor.execute(f"INSERT INTO psycopg2_types VALUES ({places})", [*row[:-1], psycopg2.extras.Json(row[-1])])
        cursor.execute("SELECT * FROM psycopg2_types")
        stored = cursor.fetchone()
        assert bytes(stored[5]) == row[5]
        assert stored[:5] + stored[6:] == row[:5] + row[6:]
        cursor.execute("SELECT count(*) FROM psycopg2_types WHERE b IN %s AND e = ANY(%s)", ((1, 2**40), [row[4]]))
        assert cursor.fetchone() == (1,)


def test_execute_values(connect, new_table):
    new_table("psycopg2_values", "id int, name text")
    with connect() as connection, connection.cursor() as cursor:
        rows = [(number, f"name {number}") for number in range(500)]
        psycopg2.extras.execute_values(cursor, "INSERT INTO psycopg2_values VALUES %s", rows, page_size=100)
        psycopg2.extras.execute_batch(cursor, "UPDATE psycopg2_values SET name = %s WHERE id = %s", [("a", 1), ("b", 2)])
        cursor.execute("SELECT * FROM psycopg2_values ORDER BY id")
        assert cursor.fetchall() == [rows[0], (1, "a"), (2, "b"), *rows[3:]]
        returned = psycopg2.extras.execute_values(cursor, "INSERT INTO psycopg2_values VALUES %s RETURNING id",
                                                  [(1000, "x"), (1001, "y")], fetch=True)
        assert returned == [(1000,), (1001,)]


def test_named_cursor(connect):
    with connect() as connection:
        with connection.cursor("numbers") as cursor:
            cursor.itersize = 700
            cursor.execute("SELECT i FROM range(5000) AS t(i) ORDER BY i")
            assert [row[0] for row in cursor] == list(range(5000))
        with connection.cursor("again", cursor_factory=psycopg2.extras.DictCursor) as cursor:
            cursor.execute("SELECT i, 'row ' || i AS text FROM range(10) AS t(i) ORDER BY i")
            assert [row["text"] for row in cursor.fetchmany(2)] == ["row 0", "row 1"]
            assert len(cursor.fetchall()) == 8


def test_autocommit_and_rollback(connect, new_table):
    new_table("psycopg2_commits", "id int")
    first, second = connect(), connect()
    second.autocommit = True
    with first.cursor() as writing, second.cursor() as reading:
        writing.execute("INSERT INTO psycopg2_commits VALUES (1)")
        reading.execute("SELECT count(*) FROM psycopg2_commits")
        assert reading.fetchone() == (0,)
        first.commit()
        reading.execute("SELECT count(*) FROM psycopg2_commits")
        assert reading.fetchone() == (1,)
        writing.execute("DELETE FROM psycopg2_commits")
        first.rollback()
        reading.execute("SELECT count(*) FROM psycopg2_commits")
        assert reading.fetchone() == (1,)
    first.set_session(isolation_level="REPEATABLE READ", readonly=True)
    with first.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_errors_are_the_drivers_classes(connect):
    connection = connect()
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.errors.UndefinedTable) as caught:
            cursor.execute("SELECT * FROM no_such_table")
        assert caught.value.pgcode == "42P01"
        with pytest.raises(psycopg2.errors.InFailedSqlTransaction):
            cursor.execute("SELECT 1")
        connection.rollback()
        cursor.execute("SELECT 1")


def test_copy(connect, new_table):
    new_table("psycopg2_copy", "id int, name text")
    with connect() as connection, connection.cursor() as cursor:
        cursor.copy_from(io.StringIO("1\tone\n2\t\\N\n"), "psycopg2_copy")
        cursor.copy_expert("COPY psycopg2_copy FROM STDIN (FORMAT csv)", io.StringIO('3,"three, or so"\n'))
        out = io.StringIO()
        cursor.copy_expert("COPY (SELECT * FROM psycopg2_copy ORDER BY id) TO STDOUT (FORMAT csv, HEADER)", out)
        assert out.getvalue() == 'id,name\n1,one\n2,\n3,"three, or so"\n'
        out = io.StringIO()
        cursor.copy_to(out, "psycopg2_copy", columns=("id",))
        assert sorted(out.getvalue().split()) == ["1", "2", "3"]
