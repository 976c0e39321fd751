"""The box's own commits while direct clients of the official extension commit to the same table, and change others.

Counted at the end: every acknowledged row once, what was not acknowledged at most once, each row id once, and statistics that
count every row.
"""

import threading

import duckdb
import psycopg
from gathering import Background, counter, door_of

DOOR_WRITERS, DOOR_ROWS = 8, 60
DIRECT_WRITERS, DIRECT_ROWS = 3, 12
CHANGES = 5


class Outcome:
    """Of one writer."""

    def __init__(self):
        self.acknowledged: set[str] = set()
        self.attempted: set[str] = set()


def write_through_the_door(box, table: str, number: int, start: threading.Barrier) -> Outcome:
    outcome = Outcome()
    with psycopg.connect(door_of(box), autocommit=True) as connection:
        start.wait()
        for row in range(DOOR_ROWS):
            entry = f"door {number}, row {row}"
            outcome.attempted.add(entry)
            connection.execute(f"INSERT INTO {table} VALUES (%s, %s)", (entry, row), prepare=True)
            outcome.acknowledged.add(entry)
    return outcome


def write_directly(client: duckdb.DuckDBPyConnection, table: str, number: int, start: threading.Barrier) -> Outcome:
    """A commit that collides too often fails, and the client goes on."""
    outcome = Outcome()
    start.wait()
    for row in range(DIRECT_ROWS):
        entry = f"direct {number}, row {row}"
        outcome.attempted.add(entry)
        try:
            client.execute(f"INSERT INTO {table} VALUES (?, ?)", (entry, 1000 + row))
            outcome.acknowledged.add(entry)
        except duckdb.Error:
            continue
    return outcome


def change_others(client: duckdb.DuckDBPyConnection, table: str, start: threading.Barrier) -> Outcome:
    """The lake's schema moves on, and the table's inlined rows become files."""
    start.wait()
    for number in range(CHANGES):
        for statement in (f"CREATE TABLE {table}_{number} (i INTEGER)",
                          f"CALL ducklake_flush_inlined_data('lake', table_name => '{table}')",
                          f"DROP TABLE {table}_{number}"):
            try:
                client.execute(statement)
            except duckdb.Error:
                continue
    return Outcome()


def attach(box, duckdb_home) -> duckdb.DuckDBPyConnection:
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute(f"LOAD ducklake; LOAD icu; SET ducklake_retry_wait_ms = 10; ATTACH '{box.attach_string}' AS lake; USE lake")
    return client


def test_every_row_is_there_once(box, door, duckdb_home):
    table = "committed_by_many"
    door.execute(f"CREATE TABLE {table} (id varchar NOT NULL, number int)")
    with psycopg.connect(box.dsn) as catalog:
        before, = catalog.execute("SELECT max(snapshot_id) FROM ducklake_snapshot").fetchone()
    own = counter(box, "batches_total") - counter(box, "by_extension_total")
    clients = [attach(box, duckdb_home) for _ in range(DIRECT_WRITERS + 1)]
    start = threading.Barrier(DOOR_WRITERS + DIRECT_WRITERS + 1)
    writers = [Background(write_through_the_door, box, table, number, start) for number in range(DOOR_WRITERS)]
    writers += [Background(write_directly, clients[number], table, number, start) for number in range(DIRECT_WRITERS)]
    writers.append(Background(change_others, clients[-1], table, start))
    outcomes = [writer.outcome() for writer in writers]
    assert counter(box, "batches_total") - counter(box, "by_extension_total") > own
    acknowledged = set().union(*(outcome.acknowledged for outcome in outcomes))
    attempted = set().union(*(outcome.attempted for outcome in outcomes))
    rows = door.execute(f"SELECT id, number, rowid FROM {table}").fetchall()
    there = {entry for entry, _, _ in rows}
    assert len(there) == len(rows), "a row is there twice"
    assert acknowledged <= there, f"{len(acknowledged - there)} acknowledged rows are lost"
    assert there <= attempted
    assert len({row_id for _, _, row_id in rows}) == len(rows), "two rows have one row id"
    with psycopg.connect(box.dsn) as catalog:
        statistics = catalog.execute("""SELECT record_count, next_row_id, min_value::int, max_value::int
            FROM ducklake_table_stats s JOIN ducklake_table t USING (table_id) JOIN ducklake_table_column_stats c USING (table_id)
            WHERE t.table_name = %s AND c.column_id = 2""", (table,)).fetchone()
        newest, count = catalog.execute("SELECT max(snapshot_id), count(*) FROM ducklake_snapshot WHERE snapshot_id > %s",
                                        (before,)).fetchone()
    numbers = [number for _, number, _ in rows]
    assert statistics == (len(rows), len(rows), min(numbers), max(numbers))
    assert count == newest - before, "a snapshot's number was left out"
    for client in clients:
        client.close()
    door.execute(f"DROP TABLE {table}")
