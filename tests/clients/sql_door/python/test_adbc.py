"""ADBC: rows as Arrow, which the driver fetches and ingests by binary COPY."""

import datetime
import decimal

import adbc_driver_postgresql.dbapi
import pyarrow
import pytest

import value_table


def connect(where: dict):
    return adbc_driver_postgresql.dbapi.connect("postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**where))


@pytest.fixture
def adbc(door):
    with connect(door) as connection:
        yield connection


def test_values(adbc, postgres):
    wrong = []
    with connect(postgres) as other:
        for connection in (adbc, other):
            with connection.cursor() as cursor:
                cursor.execute("SET TIME ZONE 'UTC'")
            connection.commit()
        for case in value_table.cases():
            with adbc.cursor() as mine, other.cursor() as theirs:
                mine.execute(case.select_from_door)
                theirs.execute(case.select_from_postgres)
                got, right = mine.fetch_arrow_table(), theirs.fetch_arrow_table()
                # By place: columns may have one name.
                values = [repr([column.to_pylist() for column in table.columns]) for table in (got, right)]
                if values[0] != values[1] or got.schema.types != right.schema.types:
                    wrong.append(f"{case}: {got} instead of {right}")
    assert wrong == []


def test_a_large_result(adbc):
    with adbc.cursor() as cursor:
        cursor.execute("SELECT i, 'row ' || i AS name FROM range(200000) AS t(i)")
        table = cursor.fetch_arrow_table()
    assert table.num_rows == 200000
    assert pyarrow.compute.sum(table["i"]).as_py() == sum(range(200000))


def test_ingest(adbc, new_table):
    new_table("adbc_rows", "id bigint, name text, price double precision, seen timestamptz, born date, raw bytea")
    seen = datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC)
    table = pyarrow.table({"id": [1, 2], "name": ["one", None], "price": [1.5, None],
                           "seen": pyarrow.array([seen, None], pyarrow.timestamp("us", "UTC")),
                           "born": [datetime.date(1815, 12, 10), None], "raw": [b"\x00\xff", None]})
    with adbc.cursor() as cursor:
        assert cursor.adbc_ingest("adbc_rows", table, mode="append") == 2
        adbc.commit()
        cursor.execute("SELECT * FROM adbc_rows ORDER BY id")
        assert cursor.fetch_arrow_table().to_pylist() == table.to_pylist()


def test_parameters(adbc):
    with adbc.cursor() as cursor:
        cursor.execute("SELECT $1::bigint + 1 AS next, $2::text AS word", (41, "x"))
        assert cursor.fetch_arrow_table().to_pylist() == [{"next": 42, "word": "x"}]


def test_numeric_is_text_with_its_digits(adbc):
    with adbc.cursor() as cursor:
        cursor.execute("SELECT '12345678901234567890.50'::numeric(38,2)")
        assert decimal.Decimal(cursor.fetchone()[0]) == decimal.Decimal("12345678901234567890.50")
