"""COPY FROM as PostgreSQL 15 reads it: the same bytes into the SQL door and into the catalog's PostgreSQL must give the
same rows, or the same error with the same CONTEXT, and then nothing is kept."""

import os
import random
import struct

import psycopg
import pytest

SEED = int(os.environ.get("BOATHOUSE_TEST_SEED", random.randrange(2**32)))
CSV = "(FORMAT csv)"

# options, data
CASES = [
    ("", b"1\ta\n\\N\t\\N\n\t\n"),
    ("", b"1\ta\n2\t\n\\.\n3\tignored\n"),
    ("", b"1\ta\n2\tpartial\\.\n"),
    ("", b"1\ta\\.b\n"),
    ("", b"1\ta\n2\tb\\.\r\n"),
    ("", b"1\ta\r\n2\tb\r\n\\.\r\n"),
    ("", b"1\ta\r2\tb\r"),
    ("", b"1\ta\n2\tb\rc\n"),
    ("", b"1\ta\r\n2\tb\nc\r\n"),
    ("", b"1\ta\\\nb\n2\t\\x41\\101\\q\\t\\\\\\N\n"),
    ("", b"1\n"),
    ("", b"x\n"),
    ("", b"1\ta\tb\n"),
    ("", b"1\ta\n\n"),
    ("", b"1\ta\nx\tb\n"),
    ("", b"1.5\ta\n"),
    ("", b" 7 \ta\n+8\tb\n-9\tc\n"),
    ("", b"99999999999\ta\n"),
    ("", b"\ta\n"),
    ("", b"1\t\\xff\n"),
    ("", b"1\tfirst\n2\tse\xffcond\n"),
    ("", b"1\t\xc3\xbc\xe6\xbc\xa2\xf0\x9f\x98\x80\n"),
    ("", b"1\tnul\x00here\n"),
    ("", b"1\tlast without end"),
    ("", b""),
    ("", b"\\.\n"),
    ("(DELIMITER '|', NULL 'none')", b"1|none\nnone|a\\|b\n"),
    ("(HEADER)", b"a\tb\n1\tx\n"),
    ("(HEADER MATCH)", b"a\tb\n1\tx\n"),
    ("(HEADER MATCH)", b"a\tc\n1\tx\n"),
    ("(HEADER MATCH)", b"a\n1\tx\n"),
    ("(HEADER MATCH)", b"\\N\tb\n1\tx\n"),
    (CSV, b"1,\"\"\n2,\n,x\n"),
    (CSV, b"1,a\"b\"c\n2,\"a\"b\n3,\"a\" \n4, \"a\"\n5,\"a\"\"b\"\n"),
    (CSV, b"1,\"two\nlines\"\nx,y\n"),
    (CSV, b"1,\"open\n2,b\n"),
    (CSV, b"1,a\n\\.\n2,b\n"),
    (CSV, b"1,a\n\"\\.\",b\n"),
    (CSV, b"1,\\.\n2,\\.x\n"),
    (CSV, b"1,a\n\n2,b\n"),
    (CSV, b"1,a\r\n2,b\r\n"),
    (CSV, b"1,a\r\n2,b\n3,c\r\n"),
    (CSV, b"1,a\n2,b\rc\n"),
    (CSV, b"1,\"a\rb\"\n2,\"c\r\nd\"\n"),
    (CSV, b"1\n"),
    (CSV, b"1,a,b\n"),
    (CSV, b"1,a\n2,b\nthree,c\n"),
    (CSV, b"\"1\",\"x\"\n\"\",\"x\"\n"),
    (CSV, b"1," + b"long " * 60 + b",more\n"),
    (CSV, b"1,a\n" + b"x" * 150 + b",b\n"),
    ("(FORMAT csv, HEADER)", b"anything\n1,x\n"),
    ("(FORMAT csv, HEADER MATCH)", b"a,b\n1,x\n"),
    ("(FORMAT csv, HEADER MATCH)", b"a,\"B\"\n1,x\n"),
    ("(FORMAT csv, DELIMITER ';', QUOTE '''', ESCAPE '\\')", b"1;'a\\'b\\\\c;'\n2;'x\\y'\n"),
    ("(FORMAT csv, NULL 'none')", b"1,none\n2,\"none\"\n3,\n"),
    ("(FORMAT csv, NULL 'none', FORCE_NULL (b))", b"1,none\n2,\"none\"\n3,\n"),
    ("(FORMAT csv, FORCE_NOT_NULL (b))", b"1,\n2,\"\"\n"),
    ("(FORMAT csv, FORCE_NULL (a, b))", b"1,\"\"\n\"\",x\n"),
    ("(FORMAT csv, ENCODING 'LATIN1')", b"1,\xfc\xdf\n"),
    ("(FORMAT csv, ENCODING 'WIN1252')", b"1,\x80\n"),
    ("CSV HEADER", b"x\n1,a\n"),
    ("DELIMITERS '|' NULL AS 'x'", b"1|x\n"),
    ("CSV QUOTE '''' FORCE NOT NULL b", b"1,\n"),
    ("(FORMAT csv) WHERE a > 1", b"1,a\n2,b\n3,c\n"),
    ("WHERE b = 'x'", b"1\tx\n2\ty\n"),
]

# Statements that are wrong before any data comes.
REFUSED = [
    "COPY rows_in FROM STDIN (FORMAT nonsense)",
    "COPY rows_in FROM STDIN (FORMAT csv, FORMAT text)",
    "COPY rows_in FROM STDIN (DELIMITER 'ab')",
    "COPY rows_in FROM STDIN (DELIMITER 'a')",
    "COPY rows_in FROM STDIN (FORMAT csv, QUOTE ',')",
    "COPY rows_in FROM STDIN (FORMAT csv, QUOTE 'ab')",
    "COPY rows_in FROM STDIN (FORMAT csv, ESCAPE 'ab')",
    "COPY rows_in FROM STDIN (QUOTE '\"')",
    "COPY rows_in FROM STDIN (ESCAPE '\"')",
    "COPY rows_in FROM STDIN (FORMAT csv, DELIMITER E'\\n')",
    "COPY rows_in FROM STDIN (FORMAT csv, NULL E'a\\nb')",
    "COPY rows_in FROM STDIN (FORMAT csv, NULL 'a,b')",
    "COPY rows_in FROM STDIN (FORMAT csv, NULL '\"')",
    "COPY rows_in FROM STDIN (FORCE_NULL (a))",
    "COPY rows_in FROM STDIN (FORCE_NOT_NULL (a))",
    "COPY rows_in FROM STDIN (FORMAT csv, FORCE_QUOTE (a))",
    "COPY rows_in TO STDOUT (FORMAT csv, FORCE_NULL (a))",
    "COPY rows_in TO STDOUT (FORMAT csv, FORCE_NOT_NULL (a))",
    "COPY rows_in TO STDOUT (FORCE_QUOTE (a))",
    "COPY rows_in TO STDOUT (HEADER MATCH)",
    "COPY rows_in TO STDOUT (HEADER maybe)",
    "COPY rows_in (a) TO STDOUT (FORMAT csv, FORCE_QUOTE (b))",
    "COPY rows_in FROM STDIN (ENCODING 'nonsense')",
    "COPY rows_in FROM STDIN (nonsense)",
    "COPY rows_in FROM STDIN (FORMAT binary, DELIMITER ',')",
    "COPY rows_in FROM STDIN (FORMAT binary, NULL 'x')",
    "COPY rows_in FROM STDIN (FORMAT binary, HEADER)",
    "COPY rows_in TO STDOUT WHERE a > 1",
]


@pytest.fixture(scope="module")
def doors(box):
    """The SQL door and the catalog's PostgreSQL, each with a table rows_in."""
    arguments = {"host": box.host, "user": box.user, "password": box.password, "autocommit": True}
    with (psycopg.connect(**arguments, port=box.sql_port, dbname="lake") as lake,
          psycopg.connect(**arguments, port=box.catalog_port, dbname="postgres") as postgres):
        lake.execute("CREATE TABLE rows_in (a int, b text)")
        postgres.execute("CREATE TEMPORARY TABLE rows_in (a int, b text)")
        yield lake, postgres
        lake.execute("DROP TABLE rows_in")


def told(error: psycopg.Error) -> tuple:
    return error.sqlstate, error.diag.message_primary, error.diag.context, error.diag.message_hint


def copy_in(connection, statement: str, data: bytes, prepared: bool = False):
    """What the COPY has put into the table, which is empty again afterwards; or what the error says."""
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(data)
    except psycopg.Error as error:
        assert connection.execute("SELECT count(*) FROM rows_in").fetchone() == (0,)
        return told(error)
    rows = connection.execute("SELECT a, b FROM rows_in").fetchall()
    connection.execute("DELETE FROM rows_in")
    return sorted(rows, key=repr), cursor.rowcount


@pytest.mark.parametrize(("options", "data"), CASES)
def test_rows_and_errors_equal_postgresqls(doors, options, data):
    lake, postgres = doors
    statement = f"COPY rows_in FROM STDIN {options}"
    assert copy_in(lake, statement, data) == copy_in(postgres, statement, data)


@pytest.mark.parametrize("statement", REFUSED)
def test_wrong_options_are_refused_as_postgresql_does(doors, statement):
    answers = []
    for door in doors:
        with pytest.raises(psycopg.Error) as raised, door.cursor() as cursor, cursor.copy(statement):
            pass
        answers.append((raised.value.sqlstate, raised.value.diag.message_primary))
    assert answers[0] == answers[1]


def test_random_bytes_are_read_as_postgresql_reads_them(doors):
    lake, postgres = doors
    rng = random.Random(SEED)
    for _ in range(60):
        data = b"".join(rng.choice([b"1", b"2", b",", b"\t", b"\n", b"\n", b"\"", b"\\", b".", b"x", b"\r"])
                        for _ in range(rng.randrange(24)))
        for options in ("", CSV, "(FORMAT csv, ESCAPE '\\')"):
            statement = f"COPY rows_in FROM STDIN {options}"
            ours, theirs = copy_in(lake, statement, data), copy_in(postgres, statement, data)
            assert ours == theirs, f"seed {SEED}, {options}, {data!r}"


def binary(*tuples: bytes, signature: bytes = b"PGCOPY\n\xff\r\n\0", flags: int = 0, trailer: bytes = b"\xff\xff") -> bytes:
    return signature + struct.pack(">ii", flags, 0) + b"".join(tuples) + trailer


def fields(*values: bytes | None) -> bytes:
    return struct.pack(">h", len(values)) + b"".join(
        struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value for value in values)


ONE = struct.pack(">i", 1)


@pytest.mark.parametrize("data", [
    binary(fields(ONE, b"x"), fields(None, None)),
    binary(fields(ONE, b"x"), trailer=b""),
    binary(),
    binary(signature=b"PGCOPY\n\xff\r\n!"),
    binary(flags=1 << 17),
    binary(flags=1),
    b"PGCOPY",
    binary(fields(ONE)),
    binary(fields(ONE, b"x"), fields(b"\0\1", b"x")),
    binary(fields(ONE, b"x"), fields(ONE, b"\xff")),
    binary(fields(ONE, b"x"), b"\0\2\0\0"),
    binary(fields(ONE, b"x"), trailer=b"\xff\xffmore"),
    binary(b"\0\2\xff\xff\xff\xfe"),
])
def test_binary_rows_and_errors_equal_postgresqls(doors, data):
    lake, postgres = doors
    statement = "COPY rows_in FROM STDIN (FORMAT binary)"
    assert copy_in(lake, statement, data) == copy_in(postgres, statement, data)


def test_error_far_into_the_data(doors):
    """Many blocks are read side by side; the first error of the data is the one that is told."""
    lake, postgres = doors
    lines = [f"{number},{'text ' * 20}".encode() for number in range(60_000)]
    lines[51_234] = b"here,x"
    lines[51_300] = b"later,x"
    data = b"\n".join(lines) + b"\n"
    answer = copy_in(lake, f"COPY rows_in FROM STDIN {CSV}", data)
    assert answer == copy_in(postgres, f"COPY rows_in FROM STDIN {CSV}", data)
    assert answer[2] == 'COPY rows_in, line 51235, column a: "here"'


def test_not_null(doors):
    lake, postgres = doors
    lake.execute("CREATE TABLE filled (a int, b text NOT NULL)")
    postgres.execute("CREATE TEMPORARY TABLE filled (a int, b text NOT NULL)")
    answers = []
    for door in doors:
        with pytest.raises(psycopg.errors.NotNullViolation) as raised, door.cursor().copy("COPY filled FROM STDIN") as copy:
            copy.write(b"1\tx\n2\t\\N\n")
        answers.append(raised.value.diag.context)
        assert door.execute("SELECT count(*) FROM filled").fetchone() == (0,)
    assert answers[0] == answers[1]
    lake.execute("DROP TABLE filled")


def test_several_batches_are_one_transaction(doors):
    """More than one INSERT's worth of data: an error at its end keeps nothing of what came before."""
    lake, _ = doors
    block = b"".join(b"%d,%s\n" % (number, b"x" * 1000) for number in range(1000))
    snapshots = "SELECT count(*) FROM ducklake_snapshots('lake')"
    before = lake.execute(snapshots).fetchone()
    with pytest.raises(psycopg.errors.InvalidTextRepresentation), lake.cursor().copy(f"COPY rows_in FROM STDIN {CSV}") as copy:
        for _ in range(140):
            copy.write(block)
        copy.write(b"x,y\n")
    assert lake.execute("SELECT count(*) FROM rows_in").fetchone() == (0,)
    assert lake.execute(snapshots).fetchone() == before


def test_extended_protocol(doors):
    """COPY by Parse, Bind and Execute, as libpq's PQexecParams sends it."""
    lake, _ = doors
    connection = lake.pgconn
    result = connection.exec_params(b"COPY rows_in FROM STDIN (FORMAT csv)", None)
    assert result.status == psycopg.pq.ExecStatus.COPY_IN
    connection.put_copy_data(b"1,x\n2,y\n")
    connection.put_copy_end()
    result = connection.get_result()
    assert (result.status, result.command_status) == (psycopg.pq.ExecStatus.COMMAND_OK, b"COPY 2")
    assert connection.get_result() is None
    result = connection.exec_params(b"COPY (SELECT * FROM rows_in ORDER BY a) TO STDOUT", None)
    assert result.status == psycopg.pq.ExecStatus.COPY_OUT
    rows = []
    while (answer := connection.get_copy_data(0))[0] > 0:
        rows.append(bytes(answer[1]))
    assert rows == [b"1\tx\n", b"2\ty\n"]
    assert connection.get_result().command_status == b"COPY 2"
    assert connection.get_result() is None

    result = connection.exec_params(b"COPY rows_in FROM STDIN (FORMAT csv)", None)
    connection.put_copy_data(b"wrong,x\n")
    connection.put_copy_end()
    result = connection.get_result()
    assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"22P02"
    assert connection.get_result() is None
    assert lake.execute("SELECT count(*) FROM rows_in").fetchone() == (2,)
    lake.execute("DELETE FROM rows_in")


def test_rows_of_a_copy_are_nobody_elses(doors):
    lake, _ = doors
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        lake.execute("SELECT * FROM boathouse_copy_rows()")
