"""The box's own commits beside the official extension's: the same statements leave the same lake.

Generated sequences of appends, with deletes, changes of tables and flushes between them, run on two boxes: on one gathered,
on the other by the extension (boathouse.group_commit = off). Then the catalogs are compared row by row, and what a direct
client reads, before and after the lakes are flushed and merged. BOATHOUSE_DIFFERENTIAL_SEQUENCES: how many (5), each of tables
and a seed of its own; BOATHOUSE_TEST_SEED is the first.
"""

import os
import random

import psycopg
import pytest
from gathering import counter, door_of
from lakes import Reader, catalog_of, differences

SEED = int(os.environ.get("BOATHOUSE_TEST_SEED", "20261123"))
SEQUENCES = int(os.environ.get("BOATHOUSE_DIFFERENTIAL_SEQUENCES", "5"))
STEPS = 12  # of a sequence

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


class Sequence:
    """Statements of which each is run on both lakes; all random choices are the seed's."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.columns = {table: list(types) for table, types in TABLES.items()}
        self.extra = 0

    def value(self, kind: str) -> str:
        if self.random.random() < 0.2:
            return self.random.choice(["NULL", "DEFAULT"])
        if kind in NUMBERS:
            return f"'{self.random.choice([*NUMBERS[kind], 0, 9, 10, self.random.randint(*NUMBERS[kind])])}'"
        text = self.random.choice((TEXTS | NESTED)[kind])
        return "'" + text.replace("\\\\", "\\").replace("'", "''") + "'"

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


def run(connection: psycopg.Connection, statements: list[str]) -> list[str | None]:
    """One pipeline; the SQLSTATEs of what failed."""
    try:
        with connection.pipeline():
            for statement in statements:
                connection.execute(statement.encode(), prepare=False)
    except psycopg.Error as error:
        return [error.sqlstate]
    return []


@pytest.fixture
def lakes(new_box):
    """Two boxes that inline as many rows as the box's own commits do."""
    def make():
        return new_box(settings={"BOATHOUSE_LAKE_INLINING_ROWS": "10000"}).pause_keeper()

    return make(), make()


@pytest.mark.timeout(300 + 10 * SEQUENCES)
def test_the_same_statements_leave_the_same_lake(lakes, duckdb_home):
    ours, theirs = lakes
    doors = gathered, alone = [psycopg.connect(door_of(box), autocommit=True) for box in lakes]
    alone.execute("SET boathouse.group_commit = off")
    readers = [Reader(box, duckdb_home) for box in lakes]
    for seed in range(SEED, SEED + SEQUENCES):
        for table, types in TABLES.items():
            columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(types))
            for door in doors:
                door.execute(f"CREATE TABLE {table} (id INTEGER DEFAULT 7, {columns})")
        sequence = Sequence(seed)
        for number in range(STEPS):
            statements = sequence.step()
            assert run(gathered, statements) == run(alone, statements), statements
            found = differences(catalog_of(ours), catalog_of(theirs))
            assert not found, f"seed {seed}, step {number}, {statements}:\n" + "\n".join(found[:20])
        compare_contents(readers, seed)
        for statement in ("CALL ducklake_flush_inlined_data('lake')", "CALL ducklake_merge_adjacent_files('lake')"):
            for reader in readers:
                reader.execute(statement)
            assert not differences(catalog_of(ours), catalog_of(theirs)), f"seed {seed}, {statement}"
        compare_contents(readers, seed)
        for statement in (*(f"DROP TABLE {table}" for table in TABLES), "CALL ducklake_expire_snapshots('lake', older_than => now())"):
            for reader in readers:
                reader.execute(statement)
    batches, official = counter(ours, "batches_total"), counter(ours, "by_extension_total")
    assert batches - official > SEQUENCES * STEPS / 3, f"{official} of {batches} commits were the extension's"
    assert counter(theirs, "batches_total") == 0
    for connection in (*doors, *readers):
        connection.close()


def compare_contents(readers: list[Reader], seed: int) -> None:
    left, right = (reader.contents(list(TABLES)) for reader in readers)
    for name, rows in left.items():
        assert rows == right[name], f"seed {seed}, {name}"
    assert left.keys() == right.keys()
