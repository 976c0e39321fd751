"""The fast paths beside the official extension alone: the same statements leave the same lake and read the same.

Generated sequences of appends, with deletes, changes of tables and flushes between them, run on two boxes: on one with its fast
paths, on the other without (SLOW): there each commit is the extension's and each answer is computed. After each statement the
catalogs are compared row by row, and what a generated query answers, asked again and again where answers and small tables are
kept; at the end what a direct client reads, before and after the lakes are flushed and merged.
BOATHOUSE_DIFFERENTIAL_SEQUENCES: how many (5), each of tables and a seed of its own; BOATHOUSE_TEST_SEED is the first.
"""

import itertools
import os
import random
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from gathering import counter, door_of, metric
from lakes import Reader, catalog_of, differences

SEED = int(os.environ.get("BOATHOUSE_TEST_SEED", "20261123"))
SEQUENCES = int(os.environ.get("BOATHOUSE_DIFFERENTIAL_SEQUENCES", "5"))
STEPS = 12  # of a sequence
SLOW = ["boathouse.group_commit", "boathouse.cache"]  # what turns the fast paths off

# A Parquet file holds numbers of 128 bits as DOUBLE.
NUMBERS = {"TINYINT": (-128, 127), "SMALLINT": (-32768, 32767), "INTEGER": (-2**31, 2**31 - 1), "BIGINT": (-2**63, 2**63 - 1),
           "HUGEINT": (-2**53, 2**53), "UTINYINT": (0, 255), "USMALLINT": (0, 65535), "UINTEGER": (0, 2**32 - 1),
           "UBIGINT": (0, 2**64 - 1), "UHUGEINT": (0, 2**53)}
TEXTS = {
    "BOOLEAN": ["true", "false"],
    "REAL": ["0", "1.5", "-2.25", "3.4028235e38", "1e-20", "nan", "inf", "-inf", "0.1", "16777217"],
    "DOUBLE": ["0", "0.1", "-1e300", "2.2250738585072014e-308", "nan", "inf", "-inf", "9", "10", "12345678901234567890"],
    "DECIMAL(4,1)": ["0", "-999.9", "999.9", "9", "10", "0.1"],
    "DECIMAL(18,3)": ["1.005", "-123456789012345.678", "9", "10"],
    "DECIMAL(38,10)": ["0.0000000001", "-1234567890123456789012345678.0123456789", "9", "10"],
    "VARCHAR": ["", " ", "a", "B", "ä", "''", "\\\\", "a\nb\t\"c\"", "NULL", "{}", "long " * 500, "9", "10", "\U0001f6a3"],
    "BLOB": ["", "a", "\\\\x00\\\\xff", "\\\\x27", "9", "10"],
    "DATE": ["2020-01-01", "9999-12-31", "10000-01-01", "0001-01-01", "0044-03-15 (BC)", "infinity", "-infinity"],
    "TIME": ["00:00:00", "23:59:59.999999", "05:06:07.5", "9:00:00"],
    "TIMETZ": ["01:02:03+02", "23:59:59-07:30", "00:00:00+00", "12:00:00+15:59"],
    "TIMESTAMP": ["2020-01-01 01:02:03.456789", "1969-12-31 23:59:59.5", "10000-01-01 00:00:00", "infinity", "-infinity"],
    "TIMESTAMPTZ": ["2020-01-01 01:02:03.456+02", "1900-01-01 00:00:00-11", "infinity"],
    "TIMESTAMP_S": ["2020-01-01 01:02:03"],
    "TIMESTAMP_MS": ["2020-01-01 01:02:03.456", "1960-05-05 00:00:00.001"],
    "TIMESTAMP_NS": ["2020-01-01 01:02:03.456789123"],
    "UUID": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "8a7b0000-1111-4222-8333-444455556666"],
    "INTERVAL": ["9 days", "10 days", "1 year 2 months", "03:04:05.678901", "0 days"],
    "JSON": ["{}", "[1, 2]", "\"x\"", "{\"a\": null}"],
}
NESTED = {
    "INTEGER[]": ["[1, NULL, 3]", "[]"],
    "STRUCT(a INTEGER, b VARCHAR)": ["{'a': 1, 'b': x}"],
    "MAP(VARCHAR, INTEGER)": ["{k=1}"],
}
# Each table is a table of its own kind of columns; the last one's commits are the extension's on both lakes.
TABLES = {
    "numbers": list(NUMBERS),
    "fractions": ["REAL", "DOUBLE", "DECIMAL(4,1)", "DECIMAL(18,3)", "DECIMAL(38,10)"],
    "texts": ["VARCHAR", "BLOB", "JSON", "UUID", "BOOLEAN"],
    "times": ["DATE", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "INTERVAL"],
    "nested": list(NESTED),
}


CREATED = [f"CREATE TABLE {table} (id INTEGER DEFAULT 7, "
           + ", ".join(f"c{number} {kind}" for number, kind in enumerate(types)) + ")" for table, types in TABLES.items()]
DROPPED = [*(f"DROP TABLE {table}" for table in TABLES), "CALL ducklake_expire_snapshots('lake', older_than => now())",
           "CALL ducklake_cleanup_old_files('lake', cleanup_all => true)"]


class Sequence:
    """Statements of which each is run on both lakes, and queries; all random choices are the seed's."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.columns = {table: list(types) for table, types in TABLES.items()}
        self.extra = 0
        self.queries = Queries(seed)

    def value(self, kind: str) -> str:
        if self.random.random() < 0.2:
            return self.random.choice(["NULL", "DEFAULT"])
        return literal(self.random, kind)

    def insert(self) -> str:
        table = self.random.choice([*TABLES, *list(TABLES)[:-1]])
        rows = ", ".join(f"({number}, {', '.join(map(self.value, self.columns[table]))})"
                         for number in range(self.random.choice([1, 1, 2, 7, 40])))
        return f"INSERT INTO {table} VALUES {rows}"

    def change(self) -> str:
        table = self.random.choice(list(TABLES))
        self.extra += 1
        kind = self.random.choice(["INTEGER", "VARCHAR", "DOUBLE", "DATE"])
        self.columns[table].append(kind)
        default = f" DEFAULT {self.value(kind)}" if self.random.random() < 0.5 else ""
        return f"ALTER TABLE {table} ADD COLUMN extra_{self.extra} {kind}{default.replace('DEFAULT DEFAULT', '')}"

    def step(self) -> list[str]:
        """One statement, or several of one pipeline: one commit of both lakes."""
        choice = self.random.random()
        if choice < 0.6:
            return [self.insert()]
        if choice < 0.75:
            return [self.insert() for _ in range(self.random.randint(2, 4))]
        if choice < 0.82:
            return [f"DELETE FROM {self.random.choice(list(TABLES))} WHERE id = {self.random.randint(0, 10)}"]
        if choice < 0.87:
            return [f"UPDATE {self.random.choice(list(TABLES))} SET id = id + 1 WHERE id = 3"]
        if choice < 0.93:
            return [self.change()]
        return ["CALL ducklake_flush_inlined_data('lake')"]


class Queries:
    """SELECTs on the tables of a sequence, none of which fails, each with whether its answer is to be binary."""

    def __init__(self, seed: int):
        self.random = random.Random(f"queries of {seed}")
        self.asked: list[tuple[str, bool]] = []

    def next(self, first: int, newest: int) -> tuple[str, bool]:
        """A new one, or one that was asked before. `first` and `newest`: snapshots of the lake that have the tables."""
        if self.asked and self.random.random() < 0.5:
            return self.random.choice(self.asked)
        self.asked.append((self.query(self.random.randint(first, newest)), self.random.random() < 0.3))
        return self.asked[-1]

    def query(self, snapshot: int) -> str:
        table, other = self.random.sample(list(TABLES), 2)
        place = self.random.randrange(len(TABLES[table]))
        column, kind = f"c{place}", TABLES[table][place]
        condition = self.random.choice([
            f"id = {self.random.randint(0, 10)}", f"id < {self.random.randint(0, 50)}", f"{column} IS NULL",
            f"{column} {self.random.choice(['=', '<', '>=', '<>'])} {literal(self.random, kind)}::{kind}"])
        return self.random.choice([
            f"SELECT * FROM {table}",
            f"SELECT * FROM {table} WHERE {condition}",
            f"SELECT id, {column} FROM {table} WHERE {condition} ORDER BY ALL LIMIT 20",
            f"SELECT count(*), count({column}), sum(id), min({column}), max({column}) FROM {table}",
            f"SELECT count(*), min({column}), max({column}) FROM {table} WHERE {condition}",
            f"SELECT {column}, count(*), max(id) FROM {table} GROUP BY ALL",
            f"SELECT id, count(*), min({table}.{column}) FROM {table} JOIN {other} USING (id) GROUP BY id",
            f"SELECT count(*) FROM {table} WHERE {condition} AND id IN (SELECT id FROM {other})",
            f"SELECT * FROM {table} AT (VERSION => {snapshot})",
        ])


def literal(choices: random.Random, kind: str) -> str:
    """A value of the type between quotes."""
    if kind in NUMBERS:
        return f"'{choices.choice([*NUMBERS[kind], 0, 9, 10, choices.randint(*NUMBERS[kind])])}'"
    text = choices.choice((TEXTS | NESTED)[kind])
    return "'" + text.replace("\\\\", "\\").replace("'", "''") + "'"


class Side:
    """One of the two boxes, and the connections that stay open to it."""

    def __init__(self, box, duckdb_home, off: list[str]):
        self.box, self.off, self.cold = box, off, itertools.count()
        self.door = psycopg.connect(door_of(box), autocommit=True)
        self.catalog = psycopg.connect(box.dsn, autocommit=True)
        self.reader = Reader(box, duckdb_home)
        for setting in off:
            self.door.execute(f"SET {setting} = off")

    def run(self, statements: list[str]) -> list[str | None]:
        """One pipeline; the SQLSTATEs of what failed."""
        try:
            with self.door.pipeline():
                for statement in statements:
                    self.door.execute(statement.encode(), prepare=False)
        except psycopg.Error as error:
            return [error.sqlstate]
        return []

    def answer(self, query: str, binary: bool) -> list[list]:
        """The columns and the rows as they came over the wire; sorted, where the query says nothing of the order."""
        with self.door.cursor(binary=binary) as cursor:
            result = cursor.execute(query.encode(), prepare=False).pgresult
            columns = range(result.nfields)
            rows = [tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples)]
            return [[(result.fname(column), result.ftype(column)) for column in columns],
                    rows if "ORDER BY" in query else sorted(rows, key=repr)]

    def answers(self, query: str, binary: bool) -> list[list]:
        """The fast side asks four times: twice so that an answer may be a kept one, twice so that only tables may be."""
        texts = [query] if self.off else [query, query, *(f"{query} -- {next(self.cold)}" for _ in range(2))]
        return [self.answer(text, binary) for text in texts]

    def maintain(self, statement: str) -> None:
        self.reader.execute(statement)

    def tables(self) -> dict[str, list[str]]:
        return catalog_of(self.catalog)

    def contents(self) -> dict[str, list[str]]:
        return self.reader.contents(list(TABLES))

    def newest(self) -> int:
        return self.catalog.execute("SELECT max(snapshot_id) FROM ducklake_snapshot").fetchone()[0]

    def counts(self) -> dict[str, float]:
        """What went the fast ways, and what of the batches did not."""
        return {"batches": counter(self.box, "batches_total"), "by_extension": counter(self.box, "by_extension_total"),
                "hits": metric(self.box, "cache_hits_total"), "table_reads": metric(self.box, "small_table_reads_total")}

    def close(self) -> None:
        for connection in (self.door, self.catalog, self.reader):
            connection.close()


@pytest.fixture
def both(new_box, duckdb_home):
    """both(Side.what, …) does it on the two sides at once: the fast side's result and the slow side's. Both boxes inline as
    many rows as the box's own commits do."""
    def open_side(off: list[str]) -> Side:
        return Side(new_box(settings={"BOATHOUSE_LAKE_INLINING_ROWS": "10000"}).pause_keeper(), duckdb_home, off)

    with ThreadPoolExecutor(2) as threads:
        sides = list(threads.map(open_side, [[], SLOW]))
        yield lambda function, *arguments: list(threads.map(lambda side: function(side, *arguments), sides))
        for side in sides:
            side.close()


@pytest.mark.timeout(300 + 30 * SEQUENCES)
def test_the_same_statements_leave_the_same_lake(both):
    for seed in range(SEED, SEED + SEQUENCES):
        sequence = Sequence(seed)
        assert both(Side.run, CREATED) == [[], []]
        compare_catalogs(both, f"seed {seed}, tables made")
        first, _ = both(Side.newest)
        for number in range(STEPS):
            statements = sequence.step()
            where = f"seed {seed}, step {number}, {statements}"
            left, right = both(Side.run, statements)
            assert left == right, where
            compare_catalogs(both, where)
            newest, _ = both(Side.newest)
            compare_answers(both, sequence.queries.next(first, newest), where)
        compare_contents(both, seed)
        for statement in ("CALL ducklake_flush_inlined_data('lake')", "CALL ducklake_merge_adjacent_files('lake')"):
            both(Side.maintain, statement)
            compare_catalogs(both, f"seed {seed}, {statement}")
        compare_contents(both, seed)
        for statement in DROPPED:
            both(Side.maintain, statement)
    fast, slow = both(Side.counts)
    assert fast["batches"] - fast["by_extension"] > SEQUENCES * STEPS / 3, f"{fast}: too many commits were the extension's"
    assert fast["hits"] > SEQUENCES * STEPS / 4, f"{fast}: too few answers were kept ones"
    assert fast["table_reads"] > SEQUENCES, f"{fast}: too few answers are of kept tables"
    assert not any(slow.values()), f"{slow}: the slow side has gone fast ways"


def compare_catalogs(both, where: str) -> None:
    found = differences(*both(Side.tables))
    assert not found, f"{where}:\n" + "\n".join(found[:20])


def compare_answers(both, query: tuple[str, bool], where: str) -> None:
    answers, (computed,) = both(Side.answers, *query)
    for number, answer in enumerate(answers):
        assert answer == computed, f"{where}, {query}, asked {number} times before"


def compare_contents(both, seed: int) -> None:
    left, right = both(Side.contents)
    for name, rows in left.items():
        assert rows == right[name], f"seed {seed}, {name}"
    assert left.keys() == right.keys()
