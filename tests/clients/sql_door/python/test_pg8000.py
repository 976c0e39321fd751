"""pg8000: a driver in plain Python that prepares every statement and names no types; its DB-API and its native interface."""

import datetime
import decimal
import io
import uuid

import pg8000.dbapi
import pg8000.native
import pytest

import value_table
from value_table import same


def arguments(where: dict) -> dict:
    return {("database" if name == "dbname" else name): value for name, value in where.items()}


@pytest.fixture
def native(door):
    connection = pg8000.native.Connection(**arguments(door))
    yield connection
    connection.close()


def test_values(native, postgres):
    other = pg8000.native.Connection(**arguments(postgres))
    wrong = []
    for connection in (native, other):
        connection.run("SET TIME ZONE 'UTC'")
    for case in value_table.cases():
        mine, right = native.run(case.select_from_door)[0], other.run(case.select_from_postgres)[0]
        if not same(mine, right):
            wrong.append(f"{case}: {mine!r} instead of {right!r}")
    other.close()
    assert wrong == []


def test_parameters(native, new_table):
    new_table("pg8000_types", "a bool, b bigint, c float8, d numeric(10,2), e text, f bytea, g date, h timestamp, "
                              "i timestamptz, k uuid, l int[], m text[]")
    row = [True, 2**40, 1.25, decimal.Decimal("12.34"), "it's a \\ text", b"\x00\xff'\\", datetime.date(2024, 2, 29),
           datetime.datetime(2024, 2, 29, 12, 30), datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC),
           uuid.uuid4(), [1, None, 3], ["a", "b,c", None]]
    names = "abcdefghiklm"
    native.run("SET TIME ZONE 'UTC'")
    native.run(f"INSERT INTO pg8000_types VALUES ({', '.join(':' + name for name in names)})",
               **dict(zip(names, row, strict=True)))
    assert native.run("SELECT * FROM pg8000_types WHERE b = :b AND e = :e", b=row[1], e=row[4]) == [row]


def test_dbapi(door, new_table):
    new_table("pg8000_rows", "id int, name text")
    connection = pg8000.dbapi.connect(**arguments(door))
    cursor = connection.cursor()
    cursor.executemany("INSERT INTO pg8000_rows VALUES (%s, %s)", [(1, "one"), (2, None)])
    connection.rollback()
    cursor.executemany("INSERT INTO pg8000_rows VALUES (%s, %s)", [(3, "three"), (4, None)])
    connection.commit()
    cursor.execute("SELECT * FROM pg8000_rows WHERE id > %s ORDER BY id", (0,))
    assert cursor.fetchall() == ([3, "three"], [4, None])
    with pytest.raises(pg8000.dbapi.DatabaseError) as caught:
        cursor.execute("SELECT * FROM no_such_table")
    assert caught.value.args[0]["C"] == "42P01"
    connection.rollback()
    connection.close()


def test_prepared(native):
    statement = native.prepare("SELECT :n::int * 2 AS twice")
    assert [statement.run(n=number) for number in (1, 2)] == [[[2]], [[4]]]
    assert [column["name"] for column in statement.columns] == ["twice"]
    statement.close()


def test_copy(native, new_table):
    new_table("pg8000_copy", "id int, name text")
    native.run("COPY pg8000_copy FROM STDIN (FORMAT csv)", stream=io.StringIO("1,one\n2,two\n"))
    out = io.BytesIO()
    native.run("COPY (SELECT * FROM pg8000_copy ORDER BY id) TO STDOUT", stream=out)
    assert out.getvalue() == b"1\tone\n2\ttwo\n"
