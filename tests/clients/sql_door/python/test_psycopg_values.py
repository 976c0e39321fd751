"""psycopg 3: the table of values, in both formats, out and in, compared with what psycopg makes of PostgreSQL's."""

import psycopg
import pytest
from psycopg.types.json import Json, set_json_loads

import value_table
from value_table import same

CASES = value_table.cases()
BOTH = pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])


@pytest.fixture(scope="module")
def doors(door, postgres):
    with psycopg.connect(**door, autocommit=True) as lake, psycopg.connect(**postgres, autocommit=True) as other:
        for connection in (lake, other):
            connection.execute("SET TIME ZONE 'UTC'")
            # JSON stays the text that it is, so that its spelling is compared too.
            set_json_loads(lambda text: text if isinstance(text, str) else bytes(text).decode(), connection)
        yield lake, other


def expected(doors, case, binary: bool) -> list:
    with doors[1].cursor(binary=binary) as cursor:
        return list(cursor.execute(case.select_from_postgres).fetchone())


def parameter(case, value):
    """The value as psycopg takes it: a text that is JSON says so."""
    if case.postgres == "json" and value is not None:
        return Json(value, dumps=str)
    if case.postgres == "json[]" and value is not None:
        return [parameter_ and Json(parameter_, dumps=str) for parameter_ in value]
    return value


@BOTH
@pytest.mark.parametrize("case", CASES, ids=str)
def test_results(doors, case, binary):
    with doors[0].cursor(binary=binary) as cursor:
        row = list(cursor.execute(case.select_from_door).fetchone())
    assert same(row, expected(doors, case, binary))


@BOTH
@pytest.mark.parametrize("case", CASES, ids=str)
def test_parameters(doors, case, binary):
    placeholder = "%b" if binary else "%t"
    for value in expected(doors, case, False):
        row = doors[0].execute(f"SELECT {placeholder}::{case.type}", [parameter(case, value)]).fetchone()
        assert same(row[0], value)


@BOTH
def test_a_row_of_every_type(doors, new_table, binary):
    stored = [case for case in CASES if case.lake]
    new_table("psycopg_values", f"line int, {value_table.table_columns(stored)}")
    columns = [expected(doors, case, binary) for case in stored]
    lines = [[column[min(number, len(column) - 1)] for column in columns] for number in range(max(map(len, columns)))]
    places = ", ".join(["%b" if binary else "%t"] * (len(stored) + 1))
    with doors[0].cursor(binary=binary) as cursor:
        cursor.executemany(f"INSERT INTO psycopg_values VALUES ({places})",
                           [[number, *map(parameter, stored, line)] for number, line in enumerate(lines)])
        rows = cursor.execute("SELECT * FROM psycopg_values ORDER BY line").fetchall()
    for number, line in enumerate(lines):
        for case, mine, right in zip(stored, rows[number][1:], line, strict=True):
            assert same(mine, right), f"{case}: {mine!r} instead of {right!r}"


def copied(connection, query: str) -> bytes:
    with connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT binary)") as copy:
        return b"".join(copy)


@pytest.mark.parametrize("case", [case for case in CASES if case.lake], ids=str)
def test_binary_copies(doors, new_table, case):
    lake, other = doors
    data = copied(other, case.select_from_postgres)
    assert copied(lake, case.select_from_door) == data
    new_table("psycopg_copies", ", ".join(f"c{number} {case.type}" for number in range(len(case.values) + 1)))
    with lake.cursor().copy("COPY psycopg_copies FROM STDIN (FORMAT binary)") as copy:
        copy.write(data)
    assert copied(lake, "SELECT * FROM psycopg_copies") == data
