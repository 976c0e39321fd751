"""What a lake holds, in a form in which two lakes that were written alike are equal.

The catalog's tables row by row, without what differs between any two lakes (uuids, times, names and sizes of files), and the
content of each table as a direct client of the official extension reads it: now, at snapshots of the past, and as changes.
"""

from collections import Counter

import duckdb
import psycopg
from psycopg import sql

# Left out of each table of the catalog: what no two lakes share.
VARYING = {"schema_uuid", "table_uuid", "view_uuid", "snapshot_time", "path", "footer_size", "file_size_bytes",
           "column_size_bytes", "schedule_start", "created_by"}
# A flush or a merge of several files numbers them in the order of a hash of their names, which no two lakes share.
VARYING |= {"data_file_id", "delete_file_id", "file_id"}
SNAPSHOTS_APART = 9  # of those that are read
# Rows that stand for the whole lake, not for what was written to it.
SKIPPED = {"ducklake_metadata"}


def catalog_of(box) -> dict[str, list[tuple]]:
    """All of DuckLake's tables and what they hold, sorted."""
    found = {}
    with psycopg.connect(box.dsn) as catalog:
        tables = [name for name, in catalog.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
            "AND relname LIKE 'ducklake%' ORDER BY 1").fetchall()]
        for table in tables:
            if table in SKIPPED:
                continue
            cursor = catalog.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
            kept = [place for place, column in enumerate(cursor.description) if column.name not in VARYING]
            found[table] = sorted(repr(tuple(row[place] for place in kept)) for row in cursor.fetchall())
    return found


def differences(ours: dict[str, list[tuple]], theirs: dict[str, list[tuple]]) -> list[str]:
    """What one has and the other has not, a line each."""
    lines = []
    for table in sorted(ours.keys() | theirs.keys()):
        left, right = Counter(ours.get(table, [])), Counter(theirs.get(table, []))
        lines += [f"{table}, ours only: {row}" for row in (left - right).elements()]
        lines += [f"{table}, the extension's only: {row}" for row in (right - left).elements()]
    return lines


class Reader:
    """A DuckDB client of the box's catalog."""

    def __init__(self, box, duckdb_home):
        self.client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
        self.client.execute(f"LOAD ducklake; LOAD icu; SET TimeZone = 'UTC'; ATTACH '{box.attach_string}' AS lake; USE lake")

    def execute(self, statement: str) -> list[tuple]:
        return self.client.execute(statement).fetchall()

    def texts(self, query: str) -> list[str]:
        return sorted(map(repr, self.execute(query)))

    def contents(self, tables: list[str]) -> dict[str, list[str]]:
        """Each table with its row ids, now and as of snapshots of the past, and its changes."""
        newest, = self.execute("SELECT id FROM ducklake_current_snapshot('lake')")[0]
        found = {}
        for table in tables:
            found[table] = self.texts(f"SELECT rowid, snapshot_id, COLUMNS(*)::VARCHAR FROM {table}")
            begun, = self.execute(f"""SELECT begin_snapshot FROM __ducklake_metadata_lake.ducklake_table
                                      WHERE table_name = '{table}' ORDER BY 1 LIMIT 1""")[0]
            for snapshot in {*range(begun, newest, SNAPSHOTS_APART), newest}:
                found[f"{table} at {snapshot}"] = self.texts(
                    f"SELECT rowid, COLUMNS(*)::VARCHAR FROM {table} AT (VERSION => {snapshot})")
            found[f"{table}'s changes"] = self.texts(
                f"SELECT COLUMNS(*)::VARCHAR FROM ducklake_table_changes('lake', 'main', '{table}', {begun}, {newest})")
        return found

    def close(self) -> None:
        self.client.close()
