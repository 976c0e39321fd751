"""COPY through the SQL door, with psycopg and psql's \\copy, compared with what the catalog's PostgreSQL does."""

import csv
import io
import os
import random
import subprocess
from datetime import date
from decimal import Decimal

import duckdb
import psycopg
import pytest

SEED = int(os.environ.get("BOATHOUSE_TEST_SEED", random.randrange(2**32)))
COLUMNS = "id int, name text, price numeric(10,2), day date, raw bytea, tags text[]"
OPTIONS = ["", "(FORMAT csv)", "(FORMAT csv, FORCE_QUOTE *)", "(FORMAT csv, FORCE_QUOTE (name, day))", "(FORMAT csv, HEADER, DELIMITER '|', NULL 'none', QUOTE '''')", "(DELIMITER ';', NULL '')",
           "(FORMAT csv, ESCAPE '\\')"]


@pytest.fixture
def doors(box):
    """The SQL door and the catalog's PostgreSQL, each with a table copy_rows."""
    arguments = {"host": box.host, "user": box.user, "password": box.password, "autocommit": True}
    with (psycopg.connect(**arguments, port=box.sql_port, dbname="lake") as lake,
          psycopg.connect(**arguments, port=box.catalog_port, dbname="postgres") as postgres):
        lake.execute(f"CREATE TABLE copy_rows ({COLUMNS})")
        postgres.execute(f"CREATE TEMPORARY TABLE copy_rows ({COLUMNS})")
        yield lake, postgres
        lake.execute("DROP TABLE copy_rows")


def random_rows(count: int) -> list[tuple]:
    rng = random.Random(SEED)
    alphabet = "ab,|;'\"\\\t\n{}N. ü漢"

    def text():
        return None if rng.random() < 0.2 else "".join(rng.choices(alphabet, k=rng.randrange(8)))

    return [(number, text(), rng.randrange(10**6) / 100, date(2000 + number % 30, 1, 1), rng.randbytes(rng.randrange(4)),
             None if rng.random() < 0.3 else [text() for _ in range(rng.randrange(3))]) for number in range(count)]


def fill(connection, rows) -> None:
    with connection.cursor() as cursor:
        with cursor.copy("COPY copy_rows FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        assert cursor.rowcount == len(rows)


def copied(connection, statement: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        return b"".join(copy)


@pytest.mark.parametrize("options", [*OPTIONS, "(FORMAT binary)", "(FORMAT csv, HEADER, ENCODING 'GB18030')"])
def test_bytes_equal_postgresqls(doors, options):
    lake, postgres = doors
    rows = random_rows(300)
    for door in doors:
        fill(door, rows)
    statement = f"COPY (SELECT * FROM copy_rows ORDER BY id) TO STDOUT {options}"
    assert copied(lake, statement) == copied(postgres, statement), f"seed {SEED}"


# In text format with NULL '' an empty text is read as NULL: PostgreSQL's too.
@pytest.mark.parametrize("options", [options for options in OPTIONS
                                     if options != "(DELIMITER ';', NULL '')" and "FORCE_QUOTE" not in options])
def test_what_goes_out_comes_back(doors, options):
    lake, _ = doors
    fill(lake, random_rows(300))
    before = lake.execute("SELECT * FROM copy_rows ORDER BY id").fetchall()
    data = copied(lake, f"COPY copy_rows TO STDOUT {options}")
    lake.execute("DELETE FROM copy_rows")
    with lake.cursor().copy(f"COPY copy_rows FROM STDIN {options}") as copy:
        for at in range(0, len(data), 1000):
            copy.write(data[at:at + 1000])
    assert lake.execute("SELECT * FROM copy_rows ORDER BY id").fetchall() == before, f"seed {SEED}"


def test_columns_in_another_order(doors):
    lake, _ = doors
    with lake.cursor().copy("COPY copy_rows (name, id) FROM STDIN") as copy:
        copy.write(b"one\t1\n\\N\t2\n\\.\n")
    assert lake.execute("SELECT id, name, price FROM copy_rows ORDER BY id").fetchall() == [(1, "one", None), (2, None, None)]
    assert copied(lake, "COPY copy_rows (name) TO STDOUT") in (b"one\n\\N\n", b"\\N\none\n")


@pytest.mark.parametrize(("data", "error"), [
    (b"1\n", psycopg.errors.BadCopyFileFormat),
    (b"1,a,2,2024-01-01,,,more\n", psycopg.errors.BadCopyFileFormat),
    (b"1,\"open", psycopg.errors.BadCopyFileFormat),
    (b"x,a,2,2024-01-01,,\n", psycopg.errors.InvalidTextRepresentation),
])
def test_a_bad_row_keeps_nothing(doors, data, error):
    lake, _ = doors
    with pytest.raises(error), lake.cursor().copy("COPY copy_rows FROM STDIN (FORMAT csv)") as copy:
        copy.write(b"7,good,1.50,2024-01-01,,\n" + data)
    assert lake.execute("SELECT count(*) FROM copy_rows").fetchone() == (0,)


def test_client_gives_up(doors):
    lake, _ = doors

    class GaveUpError(Exception):
        pass

    with pytest.raises(GaveUpError), lake.cursor().copy("COPY copy_rows (id) FROM STDIN") as copy:
        copy.write(b"1\n")
        raise GaveUpError
    assert lake.execute("SELECT count(*) FROM copy_rows").fetchone() == (0,)


def test_copy_in_a_transaction(doors):
    lake, _ = doors
    with lake.transaction(force_rollback=True):
        fill(lake, random_rows(5))
        assert lake.execute("SELECT count(*) FROM copy_rows").fetchone() == (5,)
    assert lake.execute("SELECT count(*) FROM copy_rows").fetchone() == (0,)


def test_duckdbs_own_syntax_goes_out(doors):
    lake, _ = doors
    assert copied(lake, "COPY (FROM range(3) AS t(i) SELECT i, {'a': [')']} AS s) TO STDOUT (FORMAT csv, HEADER)") == (
        b'i,s\n0,"{""a"":["")""]}"\n1,"{""a"":["")""]}"\n2,"{""a"":["")""]}"\n')


@pytest.mark.parametrize("statement", ["COPY copy_rows FROM '/etc/passwd'", "COPY copy_rows TO '/tmp/out.csv'",
                                       "COPY copy_rows TO PROGRAM 'cat'", "COPY (SELECT 1) TO '/tmp/out.csv'"])
def test_files_are_refused(doors, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        doors[0].execute(statement)


def test_binary_comes_back(doors):
    lake, _ = doors
    fill(lake, random_rows(300))
    before = lake.execute("SELECT * FROM copy_rows ORDER BY id").fetchall()
    data = copied(lake, "COPY copy_rows TO STDOUT (FORMAT binary)")
    lake.execute("DELETE FROM copy_rows")
    with lake.cursor().copy("COPY copy_rows FROM STDIN (FORMAT binary)") as copy:
        copy.write(data)
    assert lake.execute("SELECT * FROM copy_rows ORDER BY id").fetchall() == before, f"seed {SEED}"


def test_binary_rows_by_psycopg(doors):
    lake, _ = doors
    rows = random_rows(50)
    with lake.cursor().copy("COPY copy_rows FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int4", "text", "numeric", "date", "bytea", "text[]"])
        for row in rows:
            copy.write_row((*row[:2], Decimal(row[2]), *row[3:]))
    with lake.cursor().copy("COPY (SELECT id, name, day, raw FROM copy_rows ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(["int4", "text", "date", "bytea"])
        assert list(copy.rows()) == [(row[0], row[1], row[3], row[4]) for row in rows], f"seed {SEED}"


def test_psql_copies_a_file_in(doors, box, tmp_path):
    rows = [[str(number), f"name {number}, quoted"] for number in range(5000)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["id", "name"], *rows])
    (tmp_path / "rows.csv").write_text(text.getvalue())
    result = subprocess.run(
        ["psql", "-X", "-h", box.host, "-p", str(box.sql_port), "-U", box.user, "-d", "lake",
         "-c", f"\\copy copy_rows (id, name) FROM '{tmp_path}/rows.csv' CSV HEADER"],
        capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "PGPASSWORD": box.password}, timeout=240)
    assert result.stderr == ""
    assert result.stdout == "COPY 5000\n"
    assert doors[0].execute("SELECT count(*), max(name) FROM copy_rows").fetchone() == (5000, "name 999, quoted")


def test_parquet_goes_out_and_comes_back(doors, tmp_path):
    lake, _ = doors
    fill(lake, random_rows(300))
    before = lake.execute("SELECT * FROM copy_rows ORDER BY id").fetchall()
    path = tmp_path / "rows.parquet"
    path.write_bytes(copied(lake, "COPY copy_rows TO STDOUT (FORMAT parquet)"))
    assert duckdb.execute(f"SELECT count(*), sum(id) FROM '{path}'").fetchone() == (300, sum(range(300)))
    lake.execute("DELETE FROM copy_rows")
    with lake.cursor() as cursor:
        with cursor.copy("COPY copy_rows FROM STDIN (FORMAT parquet)") as copy:
            copy.write(path.read_bytes())
        assert cursor.rowcount == 300
    assert lake.execute("SELECT * FROM copy_rows ORDER BY id").fetchall() == before, f"seed {SEED}"


def test_parquet_of_a_query_and_by_columns(doors, tmp_path):
    lake, _ = doors
    path = tmp_path / "rows.parquet"
    path.write_bytes(copied(lake, "COPY (SELECT 'n' || i AS name, i::int AS id FROM range(1000) t(i)) TO STDOUT (FORMAT parquet)"))
    with lake.cursor().copy("COPY copy_rows (name, id) FROM STDIN (FORMAT parquet)") as copy:
        copy.write(path.read_bytes())
    assert lake.execute("SELECT count(*), min(name), max(id), max(price) FROM copy_rows").fetchone() == (1000, "n0", 999, None)


@pytest.mark.parametrize("data", [b"", b"no parquet", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_no_parquet_keeps_nothing(doors, data):
    lake, _ = doors
    with pytest.raises(psycopg.Error) as raised, lake.cursor().copy("COPY copy_rows FROM STDIN (FORMAT parquet)") as copy:
        copy.write(data)
    assert raised.value.sqlstate == "22P04"
    assert "/" not in raised.value.diag.message_primary
    assert lake.execute("SELECT count(*) FROM copy_rows").fetchone() == (0,)


def test_parquet_of_files_is_refused(doors):
    with (pytest.raises(psycopg.errors.InsufficientPrivilege),
          doors[0].cursor().copy("COPY (SELECT * FROM read_csv('/etc/passwd')) TO STDOUT (FORMAT parquet)")):
        pass
