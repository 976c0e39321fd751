"""What a lake holds, in a form in which two lakes that were written alike are equal.

The catalog's tables row by row, without what differs between any two lakes (uuids, times, names and sizes of files), and the
content of each table as a direct client of the official extension reads it: now, at snapshots of the past, and as changes.
"""

from collections import Counter, defaultdict

import duckdb
import psycopg
from psycopg import sql

# Left out of each table of the catalog: what no two lakes share.
VARYING = {"schema_uuid", "table_uuid", "view_uuid", "snapshot_time", "path", "footer_size", "file_size_bytes",
           "column_size_bytes", "schedule_start", "created_by"}
# A flush or a merge of several files numbers them in the order of a hash of their names, which no two lakes share.
VARYING |= {"data_file_id", "delete_file_id", "file_id"}
SNAPSHOTS_APART = 9  # of those that are read
# A commit that makes several tables names them in the order of a hash.
UNORDERED = "(SELECT string_agg(change, ',' ORDER BY change) FROM unnest(string_to_array(changes_made, ',')) AS change)"
# Rows that stand for the whole lake, not for what was written to it.
SKIPPED = {"ducklake_metadata"}


_COLUMNS = """SELECT relname, attname, atttypid::regtype::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
              WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname LIKE 'ducklake%'
                AND attnum > 0 AND NOT attisdropped ORDER BY relname, attnum"""


def catalog_of(catalog: psycopg.Connection) -> dict[str, list[str]]:
    """All of DuckLake's tables, with their columns and what they hold, sorted: one reading."""
    with catalog.transaction():
        catalog.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        columns = defaultdict(list)
        for table, name, kind in catalog.execute(_COLUMNS):
            if table not in SKIPPED and name not in VARYING:
                columns[table].append((name, kind))
        query = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {}, ROW({})::text FROM {}").format(
                sql.Literal(table), sql.SQL(", ").join(
                    sql.SQL(UNORDERED) if name == "changes_made" else sql.Identifier(name) for name, _ in kept),
                sql.Identifier(table))
            for table, kept in columns.items())
        found = {table: [repr(kept)] for table, kept in columns.items()}
        for table, row in catalog.execute(query):
            found[table].append(row)
    return {table: sorted(rows) for table, rows in found.items()}


def differences(ours: dict[str, list[str]], theirs: dict[str, list[str]]) -> list[str]:
    """What one has and the other has not, a line each."""
    lines = []
    for table in sorted(ours.keys() | theirs.keys()):
        left, right = Counter(ours.get(table, [])), Counter(theirs.get(table, []))
        lines += [f"{table}, ours only: {row}" for row in (left - right).elements()]
        lines += [f"{table}, the extension's only: {row}" for row in (right - left).elements()]
    return lines


class Reader:
    """A DuckDB client of the box's catalog. Of one thread: it reads small tables."""

    def __init__(self, box, duckdb_home):
        self.client = duckdb.connect(config={"threads": 1,
                                             "extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
        self.client.execute(f"LOAD ducklake; LOAD icu; SET TimeZone = 'UTC'; ATTACH '{box.attach_string}' AS lake; USE lake")

    def execute(self, statement: str) -> list[tuple]:
        return self.client.execute(statement).fetchall()

    def contents(self, tables: list[str]) -> dict[str, list[str]]:
        """Each table with its row ids, now and as of snapshots of the past, and its changes."""
        self.execute("BEGIN")
        newest, = self.execute("SELECT id FROM ducklake_current_snapshot('lake')")[0]
        begun = dict(self.execute(
            "SELECT table_name, min(begin_snapshot) FROM __ducklake_metadata_lake.ducklake_table GROUP BY table_name"))
        found = {}
        for table in tables:
            parts = {table: f"SELECT rowid::VARCHAR, snapshot_id::VARCHAR, COLUMNS(*)::VARCHAR FROM {table}",
                     f"{table}'s changes": f"""SELECT COLUMNS(*)::VARCHAR
                         FROM ducklake_table_changes('lake', 'main', '{table}', {begun[table]}, {newest})"""}
            for snapshot in range(begun[table], newest, SNAPSHOTS_APART):
                parts[f"{table} at {snapshot}"] = f"SELECT rowid::VARCHAR, COLUMNS(*)::VARCHAR FROM {table} AT (VERSION => {snapshot})"
            found |= {part: [] for part in parts}
            for place, row in self.execute(" UNION ALL ".join(
                    f"SELECT {place}, [*COLUMNS(*)] FROM ({query})" for place, query in enumerate(parts.values()))):
                found[list(parts)[place]].append(repr(row))
        self.execute("COMMIT")
        return {part: sorted(rows) for part, rows in found.items()}

    def close(self) -> None:
        self.client.close()
