"""Small tables that are kept in the engine's memory: a query on them gives what the lake gives, to whoever may ask it.

Each query has a number in its text, so that no answer is kept. `off` is a session that reads the lake each time.
"""

import itertools
import random
import subprocess
import threading
import time

import duckdb
import psycopg
import pytest
from psycopg import sql

SEED = 20261123
STEPS = 60
ASKS_MOST = 400
WRITERS_COMMITS = 60

_numbers = itertools.count()


def door_of(box, **others) -> str:
    parts = {"host": box.host, "port": box.sql_port, "user": box.user, "password": box.password, "dbname": "lake"} | others
    return " ".join(f"{key}={value}" for key, value in parts.items())


def metric(box, name: str) -> float:
    for line in box.http("/metrics")[1].splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(f"/metrics has no {name}")


def reads(box) -> float:
    return metric(box, "boathouse_small_table_reads_total")


@pytest.fixture
def on(box):
    with psycopg.connect(door_of(box), autocommit=True) as connection:
        yield connection


@pytest.fixture
def off(box):
    with psycopg.connect(door_of(box), autocommit=True) as connection:
        connection.execute("SET boathouse.cache = off")
        yield connection


@pytest.fixture
def table(off):
    """A table of this test's own: 100 rows in a file, one deleted, and two rows inlined."""
    name = f"small_{next(_numbers)}"
    off.execute(f"CREATE TABLE {name} AS SELECT i::int AS id, 'n' || i AS name FROM range(100) AS r(i)")
    off.execute(f"INSERT INTO {name} VALUES (1000, 'inlined'), (NULL, NULL)")
    off.execute(f"DELETE FROM {name} WHERE id = 50")
    yield name
    off.execute(f"DROP TABLE IF EXISTS {name}")


def answer(connection, query: str, parameters=None, binary=False):
    """Rows and columns with their types and origins; or the error as the client is told it."""
    numbered = f"{query} -- {next(_numbers)}"
    try:
        cursor = connection.execute(numbered, parameters, binary=binary)
    except psycopg.Error as error:
        return error.sqlstate, error.diag.message_primary, error.diag.message_detail, error.diag.statement_position
    result = cursor.pgresult
    columns = [(result.fname(i), result.ftype(i), result.ftable(i), result.ftablecol(i)) for i in range(result.nfields)]
    return columns, sorted(map(repr, cursor.fetchall()))


def ask_until_kept(box, connection, query: str, expected, **options) -> None:
    """Every answer is the expected one, and at last one comes from kept tables."""
    before = reads(box)
    for _ in range(ASKS_MOST):
        assert answer(connection, query, **options) == expected, query
        if reads(box) > before:
            return
    raise AssertionError(f"never from a kept table: {query}")


def ask_never_kept(box, connection, query: str, expected, **options) -> None:
    before = reads(box)
    for _ in range(6):
        assert answer(connection, query, **options) == expected, query
    assert reads(box) == before, f"from a kept table: {query}"


@pytest.mark.parametrize("query", [
    "SELECT count(*) FROM {t}",
    "SELECT * FROM {t}",
    "SELECT name, id + 1 FROM {t} WHERE id BETWEEN 48 AND 52",
    "SELECT max(id), min(name), sum(id) FROM public.{t}",
    "SELECT count(*) FROM lake.main.{t} WHERE id IS NULL",
    "WITH few AS MATERIALIZED (SELECT * FROM {t} WHERE id < 3) SELECT a.name, b.id FROM few a JOIN {t} b USING (id)",
    "SELECT id, row_number() OVER (ORDER BY name) FROM {t} WHERE id IN (SELECT max(id) FROM {t})",
    "SELECT a.id FROM {t} a WHERE EXISTS (SELECT 1 FROM {t} b WHERE b.id = a.id + 1)",
    "SELECT r.i, t.name FROM range(5) AS r(i) LEFT JOIN {t} t ON t.id = r.i",
])
def test_a_query_gives_what_the_lake_gives(box, on, off, table, query):
    text = query.format(t=table)
    ask_until_kept(box, on, text, answer(off, text))


VALUES = {
    "BOOLEAN": ["true", "false"],
    "TINYINT": ["-127", "127"],
    "SMALLINT": ["-32768", "32767"],
    "INTEGER": ["-2147483648", "2147483647"],
    "BIGINT": ["-9223372036854775808", "9223372036854775807"],
    "HUGEINT": ["-1e18", "9007199254740992"],
    "UTINYINT": ["0", "255"],
    "UBIGINT": ["0", "18446744073709551615"],
    "FLOAT": ["'nan'", "'-inf'", "'-0.0'", "1e-45", "3.4028235e38"],
    "DOUBLE": ["'nan'", "'inf'", "'-0.0'", "5e-324", "1.7976931348623157e308"],
    "DECIMAL(4,1)": ["-999.9", "0.1"],
    "DECIMAL(38,10)": ["-9999999999999999999999999999.9999999999", "0.0000000001"],
    "VARCHAR": ["''", "'\u00e4\u00df\u20ac\U0001f986'", "'O''Reilly, \"x\"'", "repeat('long', 3000)", "'null'"],
    "BLOB": ["'\\x00\\xff\\x0a'::BLOB", "''::BLOB"],
    "UUID": ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-4fff-bfff-ffffffffffff'"],
    "DATE": ["'0001-01-01'", "'9999-12-31'"],
    "TIME": ["'00:00:00'", "'23:59:59.999999'"],
    "TIMESTAMP": ["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'"],
    "TIMESTAMPTZ": ["'2024-03-31 02:30:00+01'", "'1900-01-01 00:00:00.000001+00'"],
    "INTERVAL": ["'1 year 2 months 3 days 04:05:06.789'", "'30 days'", "'1 month'"],
    "JSON": ["""'{"a": [1, null, "x"]}'""", "'null'"],
    "INTEGER[]": ["[1, NULL, 3]", "[]"],
    "VARCHAR[][]": ["[['a', NULL], NULL, []]", "[]"],
    "STRUCT(a INTEGER, b VARCHAR[])": ["{'a': NULL, 'b': ['x']}", "{'a': 1, 'b': NULL}"],
    "MAP(VARCHAR, INTEGER)": ["MAP {'k': 1, 'l': NULL}", "MAP {}"],
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("place", ["files", "inlined", "both"])
def test_values_of_all_types(box, on, off, kind, place):
    """Each value, and none, in files and in the catalog; with values of the other sort, ordered, grouped, aggregated."""
    name = f"small_{next(_numbers)}"
    values = ["NULL", *VALUES[kind]]
    off.execute(f"CREATE TABLE {name} (n INTEGER, x {kind})")
    if place != "inlined":
        of_range = " UNION ALL ".join(f"SELECT {n} AS n, CAST({value} AS {kind}) AS x" for n, value in enumerate(values))
        off.execute(f"INSERT INTO {name} SELECT n + 100 * i AS n, x FROM ({of_range}) AS v, range(40) AS r(i)")
    if place != "files":
        off.execute(f"INSERT INTO {name} VALUES " + ", ".join(f"({n + 50}, {value})" for n, value in enumerate(values)))
    try:
        for query in (f"SELECT n, x FROM {name}", f"SELECT x, count(*), min(n) FROM {name} GROUP BY x",
                      f"SELECT n, row_number() OVER (ORDER BY x NULLS FIRST, n), x IS NULL FROM {name}",
                      f"SELECT count(*), count(x), count(DISTINCT x), max(n) FROM {name}",
                      f"SELECT count(*) FROM {name} a JOIN {name} b ON a.x = b.x",
                      f"SELECT n FROM {name} WHERE x >= (SELECT min(x) FROM {name})"):
            for binary in (False, True):
                expected = answer(off, query, binary=binary)
                ask_until_kept(box, on, query, expected, binary=binary)
    finally:
        off.execute(f"DROP TABLE {name}")


def test_with_parameters(box, on, off, table):
    text = f"SELECT id, name FROM {table} WHERE id >= %s AND name LIKE %s"
    for binary in (False, True):
        for parameters in ((95, "n%"), (10, "n9%")):
            expected = answer(off, text, parameters=parameters, binary=binary)
            ask_until_kept(box, on, text, expected, parameters=parameters, binary=binary)


def test_prepared_once_and_run_before_and_after_changes(box, on, off, table):
    on.prepare_threshold = 0
    text = f"SELECT count(*), sum(id) FROM {table} WHERE id >= %s"
    before = reads(box)
    for number in range(ASKS_MOST):
        if number % 7 == 0:
            off.execute(f"INSERT INTO {table} VALUES (%s, 'more')", [number])
        parameters = [number % 3]
        assert on.execute(text, parameters).fetchall() == off.execute(text, parameters).fetchall()
        if number > 60 and reads(box) > before + 10:
            return
    raise AssertionError("never from a kept table")


@pytest.mark.parametrize("query", [
    "SELECT rowid, id FROM {t}",
    "SELECT count(DISTINCT filename) FROM {t}",
    "SELECT min(snapshot_id), max(file_row_number) FROM {t}",
    "SELECT count(*) FROM {t} AT (VERSION => {v})",
    "SELECT count(*) FROM {t}, duckdb_databases()",
    "SELECT nothing FROM {t}",
    "SELECT no_such_function(id) FROM {t}",
    "SELECT count(*) FROM {t} JOIN no_such_table USING (id)",
    "SELECT count(*) FROM other.{t}",
    "SELECT count(*) FROM boathouse_shapes.main.{t}",
])
def test_what_is_the_lakes_alone(box, on, off, table, query):
    ask_until_kept(box, on, f"SELECT count(*) FROM {table}", answer(off, f"SELECT count(*) FROM {table}"))
    version = off.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()[0]
    text = query.format(t=table, v=version)
    ask_never_kept(box, on, text, answer(off, text))


def test_a_table_with_the_name_of_a_with(box, on, off, table):
    """Named by a WITH, and as a table outside of it, after it has changed: its old rows must not be read."""
    other = f"{table}_other"
    off.execute(f"CREATE TABLE {other} AS SELECT 1 AS id")
    try:
        for name in (table, other):
            ask_until_kept(box, on, f"SELECT count(*) FROM {name}", answer(off, f"SELECT count(*) FROM {name}"))
        off.execute(f"INSERT INTO {other} VALUES (2)")
        text = f"SELECT max(b.id) FROM (WITH {other} AS (SELECT 7 AS id) SELECT * FROM {other}) a, {other} b, {table} t"
        assert answer(on, text) == answer(off, text)
        assert on.execute(text).fetchone() == (2,)
    finally:
        off.execute(f"DROP TABLE {other}")


def test_errors_of_rows_are_the_same(box, on, off, table):
    text = f"SELECT name::int FROM {table}"
    expected = answer(off, text)
    assert expected[0] == "22P02"
    ask_until_kept(box, on, text, expected)


def test_nobody_sees_the_kept_tables(box, on, off, table):
    ask_until_kept(box, on, f"SELECT count(*) FROM {table}", answer(off, f"SELECT count(*) FROM {table}"))
    for text in ("SELECT database_name, path FROM duckdb_databases()",
                 "SELECT database_name, schema_name, table_name FROM duckdb_tables()",
                 f"SELECT count(*) FROM information_schema.tables WHERE table_name = '{table}'",
                 f"EXPLAIN SELECT count(*) FROM {table}"):
        rows = off.execute(text).fetchall()
        assert on.execute(text).fetchall() == rows
    assert [row[0] for row in on.execute("SELECT database_name FROM duckdb_databases()")].count("lake") == 1


def test_macros_of_the_lake_are_called(box, on, off, table):
    text = f"SELECT abs(id), abs(-id) FROM {table} WHERE id < 3"
    ask_until_kept(box, on, text, answer(off, text))
    off.execute("CREATE MACRO main.abs(x) AS x + 1000")
    try:
        expected = answer(off, text)
        assert "1002" in expected[1][-1]
        ask_never_kept(box, on, text, expected)
        counted = f"SELECT count(*) FROM {table}"
        ask_until_kept(box, on, counted, answer(off, counted))
        ask_never_kept(box, on, text, expected)
    finally:
        off.execute("DROP MACRO main.abs")
    ask_until_kept(box, on, text, answer(off, text))


def test_other_search_paths(box, on, off, table):
    off.execute("CREATE SCHEMA IF NOT EXISTS elsewhere")
    off.execute(f"CREATE TABLE elsewhere.{table} AS SELECT 7 AS id, 'seven' AS name")
    try:
        ask_until_kept(box, on, f"SELECT * FROM {table}", answer(off, f"SELECT * FROM {table}"))
        for path in ("elsewhere", "elsewhere, public", "public, elsewhere"):
            for connection in (on, off):
                connection.execute(f"SET search_path = {path}")
            expected = answer(off, f"SELECT * FROM {table}")
            for _ in range(6):
                assert answer(on, f"SELECT * FROM {table}") == expected
    finally:
        off.execute(f"DROP TABLE elsewhere.{table}")


def test_prepared_before_the_search_path_changes(box, on, off, table):
    """DuckDB keeps the plan of a prepared statement: it reads the table of the first path, whose kept rows may be old."""
    on.prepare_threshold = 0
    text = "SELECT count(*) FROM " + table + " WHERE id >= %s"
    off.execute("CREATE SCHEMA IF NOT EXISTS elsewhere")
    off.execute(f"CREATE TABLE elsewhere.{table} AS SELECT 7 AS id, 'seven' AS name")
    try:
        before = reads(box)
        for number in range(20):
            on.execute(text, [number])
        assert reads(box) > before
        with psycopg.connect(door_of(box), autocommit=True) as another:
            another.execute("SET search_path = elsewhere")
            ask_until_kept(box, another, f"SELECT count(*) FROM {table}", answer(off, f"SELECT count(*) FROM elsewhere.{table}"))
            off.execute(f"INSERT INTO public.{table} VALUES (2000, 'new')")
            ask_until_kept(box, another, f"SELECT count(*) FROM {table}", answer(off, f"SELECT count(*) FROM elsewhere.{table}"))
        on.execute("SET search_path = elsewhere")
        allowed = {off.execute(f"SELECT count(*) FROM {schema}.{table} WHERE id >= 0").fetchone() for schema in ("public", "elsewhere")}
        for _ in range(4):
            assert on.execute(text, [0]).fetchone() in allowed
    finally:
        off.execute(f"DROP TABLE elsewhere.{table}")


def test_temporary_tables_and_transactions(box, on, off, table):
    text = f"SELECT count(*), max(id) FROM {table}"
    ask_until_kept(box, on, text, answer(off, text))
    with on.transaction():
        on.execute(f"INSERT INTO {table} VALUES (5000, 'mine')")
        assert on.execute(text).fetchone()[1] == 5000
        assert off.execute(text).fetchone()[1] == 1000
    assert on.execute(text).fetchone()[1] == 5000
    on.execute(f"CREATE TEMPORARY TABLE {table} AS SELECT 1 AS id")
    assert on.execute(text).fetchone() == (1, 1)


def test_privileges_are_judged(box, on, off, table):
    role = f"reader_{table}"
    text = f"SELECT count(*) FROM {table}"
    ask_until_kept(box, on, text, answer(off, text))
    off.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'small-{role}'")
    off.execute(f"GRANT CONNECT ON DATABASE lake TO {role}")
    try:
        with psycopg.connect(door_of(box, user=role, password=f"small-{role}"), autocommit=True) as reader:
            refused = answer(reader, text)
            assert refused[0] == "42501"
            off.execute(f"GRANT SELECT (id) ON {table} TO {role}")
            ask_until_kept(box, reader, f"SELECT sum(id) FROM {table}", answer(off, f"SELECT sum(id) FROM {table}"))
            assert answer(reader, f"SELECT max(name) FROM {table}")[0] == "42501"
            off.execute(f"REVOKE SELECT (id) ON {table} FROM {role}")
            assert answer(reader, f"SELECT sum(id) FROM {table}")[0] == "42501"
    finally:
        off.execute(f"REVOKE ALL ON {table} FROM {role}")
        off.execute(f"REVOKE CONNECT ON DATABASE lake FROM {role}")
        off.execute(f"DROP ROLE {role}")


def test_large_tables_are_not_kept(box, on, off, table):
    off.execute(f"INSERT INTO {table} SELECT i, 'n' FROM range(100_000) AS r(i)")
    ask_never_kept(box, on, f"SELECT count(*) FROM {table}", answer(off, f"SELECT count(*) FROM {table}"))


def test_none_are_kept_with_no_room(new_box):
    box = new_box(settings={"BOATHOUSE_SMALL_TABLES_MB": "0"})
    with psycopg.connect(door_of(box), autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS i")
        ask_never_kept(box, connection, "SELECT sum(i) FROM t", answer(connection, "SELECT sum(i) FROM t"))


def test_those_used_longest_ago_make_room(new_box):
    box = new_box(settings={"BOATHOUSE_SMALL_TABLES_MB": "4"})
    with psycopg.connect(door_of(box), autocommit=True) as connection:
        for number in range(100):
            connection.execute(f"CREATE TABLE t{number} AS SELECT i, 'x' || i AS x FROM range(1000) AS r(i)")
        for number in range(100):
            text = f"SELECT count(*), max(x) FROM t{number}"
            ask_until_kept(box, connection, text, answer(connection, text))
            assert metric(box, "boathouse_small_table_bytes") <= 4 << 20
        assert 1 < metric(box, "boathouse_small_tables") < 100


def test_after_a_restart(new_box):
    box = new_box()
    with psycopg.connect(door_of(box), autocommit=True) as connection:
        connection.execute("CREATE TABLE t (i int)")
    for _ in range(2):
        with psycopg.connect(door_of(box), autocommit=True) as connection:
            connection.execute("INSERT INTO t VALUES (1)")
            text = "SELECT count(*) FROM t"
            ask_until_kept(box, connection, text, answer(connection, text))
        box.restart()
    with psycopg.connect(door_of(box), autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_kept_while_the_keeper_merges(box, on, off, table):
    for number in range(20):
        off.execute(f"INSERT INTO {table} SELECT {number * 20} + i, 'merged' FROM range(20) AS r(i)")
    query = f"SELECT count(*), sum(id) FROM {table}"
    expected = answer(off, query)
    ask_until_kept(box, on, query, expected)
    loads = metric(box, "boathouse_small_table_loads_total")

    def files() -> int:
        return off.execute(f"SELECT count(*) FROM ducklake_list_files('lake', '{table}')").fetchone()[0]

    before = files()
    deadline = time.monotonic() + 60
    while files() == before:  # it gives way now and then
        assert time.monotonic() < deadline
        subprocess.run([box.binary, "keeper", "run", "--data-dir", box.data_dir], env=box.environment, check=True,
                       capture_output=True, timeout=120)
    kept = reads(box)
    assert answer(on, query) == expected == answer(off, query)
    assert (reads(box), metric(box, "boathouse_small_table_loads_total")) == (kept + 1, loads)


def test_read_after_the_doors_own_flush(box, on, off):
    """The flush drops a table of inlined rows, of which the DuckDB that reads small tables knows: it must not stay broken, and
    no client may notice."""
    name = f"small_{next(_numbers)}"
    text = f"SELECT count(*), max(id), max(more) FROM {name}"
    off.execute(f"CREATE TABLE {name} (id INT, name TEXT)")
    try:
        off.execute(f"INSERT INTO {name} VALUES (1, 'one'), (2, 'two')")
        off.execute(f"ALTER TABLE {name} ADD COLUMN more INT")
        off.execute(f"INSERT INTO {name} VALUES (3, 'three', 3), (4, 'four', 4)")
        ask_until_kept(box, on, text, answer(off, text))
        off.execute(f"CALL ducklake_flush_inlined_data('lake', table_name => '{name}')")
        expected = answer(off, text)
        loads = metric(box, "boathouse_small_table_loads_total")
        ask_until_kept(box, on, text, expected)
        assert metric(box, "boathouse_small_table_loads_total") > loads
    finally:
        off.execute(f"DROP TABLE {name}")


@pytest.fixture
def direct(duckdb_home):
    """A function that gives a DuckDB client of a box's catalog."""
    opened = []

    def attach(box):
        opened.append(duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")}))
        opened[-1].execute(f"LOAD ducklake; SET ducklake_max_retry_count = 100; ATTACH '{box.attach_string}' AS lake; USE lake")
        return opened[-1]

    yield attach
    for client in opened:
        client.close()


def test_no_answer_is_older_than_an_acknowledged_commit(box, on, off, direct):
    """Money goes from one table to the other, and a counter up, in each transaction of a direct client's."""
    off.execute("CREATE TABLE account_a AS SELECT 1000 AS money")
    off.execute("CREATE TABLE account_b AS SELECT 1000 AS money")
    off.execute("CREATE TABLE counter AS SELECT 0 AS n")
    acknowledged = [0]
    asked = threading.Semaphore(0)
    failures = []

    def write() -> None:
        client = direct(box)
        try:
            for number in range(1, WRITERS_COMMITS + 1):
                client.execute("BEGIN; UPDATE account_a SET money = money - 1; UPDATE account_b SET money = money + 1; "
                               f"INSERT INTO counter VALUES ({number}); COMMIT")
                acknowledged[0] = number
                for _ in range(number % 13 if number % 20 else 200):
                    asked.acquire(timeout=60)
        except Exception as error:
            failures.append(error)

    before = reads(box)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        while writer.is_alive():
            known = acknowledged[0]
            seen = on.execute(f"SELECT max(n), (SELECT sum(money) FROM account_a) + (SELECT sum(money) FROM account_b) "
                              f"FROM counter -- {next(_numbers)}").fetchone()
            assert seen[0] >= known
            assert seen[1] == 2000
            asked.release()
    finally:
        for _ in range(200 * WRITERS_COMMITS):
            asked.release()
        writer.join()
    assert not failures
    assert reads(box) > before, "never from kept tables"
    off.execute("DROP TABLE account_a; DROP TABLE account_b; DROP TABLE counter")


class Changes:
    """Statements that change the lake in all ways there are; all random choices are the seed's."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.tables = {"one": 0, "two": 0, "three": 0}  # and how many columns were added to each

    def row(self, table: str) -> str:
        number = self.random.randint(0, 500)
        more = "".join(f", {self.random.choice(['NULL', str(number)])}" for _ in range(self.tables[table]))
        return f"({number}, 'text {number}', {number}.25, DATE '2024-01-01' + {number % 5}{more})"

    def next(self, with_schema: bool) -> str:
        """A flush drops tables of inlined rows that DuckLake's clients still name after a change of a table's shape: so the
        schema is changed only after the last."""
        table = self.random.choice(list(self.tables))
        number = self.random.randint(0, 500)
        kind = self.random.choices(["insert", "load", "delete", "update", "flush", "merge", "rewrite", "expire", "schema", "other"],
                                   [6, 3, 3, 3, 0 if with_schema else 2, 2, 1, 1, 3 if with_schema else 0, 2])[0]
        if kind == "insert":
            rows = ", ".join(self.row(table) for _ in range(self.random.choice([1, 2, 5])))
            return f"INSERT INTO {table} VALUES {rows}"
        if kind == "load":
            return (f"INSERT INTO {table} (id, name, amount, day) SELECT i, 'loaded ' || i, i / 4, DATE '2024-01-01' + (i % 5)::int "
                    f"FROM range({number}, {number + 60}) AS r(i)")
        if kind == "delete":
            return f"DELETE FROM {table} WHERE id % 7 = {number % 7} AND id > {number}"
        if kind == "update":
            return f"UPDATE {table} SET name = 'changed {number}', amount = amount + 1 WHERE id % 11 = {number % 11}"
        if kind == "flush":
            return "CALL ducklake_flush_inlined_data('lake')"
        if kind == "merge":
            return "CALL ducklake_merge_adjacent_files('lake')"
        if kind == "rewrite":
            return f"CALL ducklake_rewrite_data_files('lake', '{table}', delete_threshold => 0.1)"
        if kind == "expire":
            return "CALL ducklake_expire_snapshots('lake', older_than => now())"
        if kind == "other":
            return "INSERT INTO bystander VALUES (1)"
        return self.schema_change(table, number)

    def schema_change(self, table: str, number: int) -> str:
        kind = self.random.choice(["add", "partition", "view", "comment", "rename", "drop"])
        if kind == "add":
            self.tables[table] += 1
            return f"ALTER TABLE {table} ADD COLUMN added_{self.tables[table]} BIGINT DEFAULT {number}"
        if kind == "partition":
            return f"ALTER TABLE {table} SET PARTITIONED BY ({self.random.choice(['day', 'year(day)'])})"
        if kind == "view":
            return f"CREATE OR REPLACE VIEW seen AS SELECT id, name FROM {table} WHERE id > {number % 100}"
        if kind == "comment":
            return f"COMMENT ON TABLE {table} IS 'number {number}'"
        if kind == "rename":
            other = f"renamed_{number}_{next(_numbers)}"
            self.tables[other] = self.tables.pop(table)
            return f"ALTER TABLE {table} RENAME TO {other}"
        self.tables[table] = 0
        return f"CREATE OR REPLACE TABLE {table} (id INTEGER, name VARCHAR, amount DECIMAL(12,2), day DATE)"


def test_after_all_kinds_of_changes(new_box, direct):
    print(f"seed {SEED}")
    box = new_box().pause_keeper()
    changes = Changes(SEED)
    client = direct(box)
    before, done = reads(box), 0
    with psycopg.connect(door_of(box), autocommit=True) as on, psycopg.connect(door_of(box), autocommit=True) as off:
        off.execute("SET boathouse.cache = off")
        off.execute("CREATE TABLE bystander (i int)")
        for table in changes.tables:
            off.execute(f"CREATE TABLE {table} (id INTEGER, name VARCHAR, amount DECIMAL(12,2), day DATE)")
        off.execute("CREATE VIEW seen AS SELECT id, name FROM one")
        for step in range(STEPS):
            statement = changes.next(with_schema=step >= STEPS // 2)
            by_client = changes.random.random() < 0.5 or statement.startswith("CALL")
            try:
                if by_client:
                    client.execute(statement)
                else:
                    off.execute(sql.SQL(statement))
                done += 1
            except (duckdb.Error, psycopg.Error) as error:  # DuckLake has its own with inlined rows of added columns
                print(f"step {step}: {statement}: {error}")
            first, second, *_ = changes.random.sample(list(changes.tables), 3)
            for query in (f"SELECT * FROM {first}", f"SELECT day, count(*), sum(amount) FROM {second} GROUP BY day",
                          f"SELECT count(*), max(b.name) FROM {first} a JOIN {second} b USING (id)",
                          "SELECT count(*) FROM seen"):
                expected = answer(off, query)
                assert sorted(map(repr, client.execute(query).fetchall())) == expected[1], (step, statement, query)
                for _ in range(4):
                    assert answer(on, query) == expected, (step, statement, query)
    assert done > STEPS * 2 // 3
    assert reads(box) > before + STEPS, "hardly ever from kept tables"
