"""A DuckLake catalog of many data files, made in seconds: two real tables with one real file each, multiplied by SQL.

The multiplied rows are what DuckLake would have written, one commit a file: ids, snapshots, row ids, statistics. A
client attaches such a catalog, prunes by its statistics and inserts into it. The file k of a table holds the ids from
1000 * k to 1000 * k + 999, and every fifth has a delete file. Only the files with k = 0 exist on disk (the copies of a
table share its own), so a query has to be one that prunes all others.
"""

import dataclasses

import duckdb
import psycopg

ROWS_PER_FILE = 1000


@dataclasses.dataclass(frozen=True)
class Size:
    """`big_files` files in table big; `tables` tables small0 … of `files` files each; all with `columns` columns."""

    big_files: int
    tables: int
    files: int
    columns: int

    @property
    def data_files(self) -> int:
        return self.big_files + self.tables * self.files


def grow(client: duckdb.DuckDBPyConnection, catalog: psycopg.Connection, size: Size) -> None:
    """Fills the empty lake that `client` has attached as `lake`; `catalog` is a connection to its database."""
    columns = "i AS id" + "".join(f", i * {k} AS c{k}" for k in range(2, size.columns + 1))
    for table in ("big", "small0"):
        client.execute(f"CREATE TABLE lake.{table} AS SELECT {columns} FROM range({ROWS_PER_FILE}) r(i)")
    with catalog.transaction():
        catalog.execute("SET LOCAL search_path = public, pg_temp")
        for statement in _STATEMENTS:
            catalog.execute(statement, {"big_files": size.big_files, "tables": size.tables, "files": size.files})
    catalog.execute("VACUUM ANALYZE")


_STATEMENTS = (
    # The newest snapshot says which ids are free.
    "CREATE TEMP TABLE newest AS SELECT * FROM ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1",
    """CREATE TEMP TABLE seed AS
       SELECT table_id, table_name, data_file_id FROM ducklake_table JOIN ducklake_data_file USING (table_id)""",
    # Tables small1 … as copies of small0.
    """CREATE TEMP TABLE copy AS
       SELECT k, next_catalog_id + k - 1 AS table_id FROM newest, generate_series(1, %(tables)s - 1) k""",
    """INSERT INTO ducklake_table
       SELECT copy.table_id, gen_random_uuid(), begin_snapshot, end_snapshot, schema_id, 'small' || k,
              path, path_is_relative
         FROM copy, ducklake_table t WHERE t.table_name = 'small0'""",
    """INSERT INTO ducklake_column
       SELECT column_id, begin_snapshot, end_snapshot, copy.table_id, column_order, column_name, column_type,
              initial_default, default_value, nulls_allowed, parent_column, default_value_type, default_value_dialect
         FROM copy, ducklake_column JOIN seed USING (table_id) WHERE table_name = 'small0'""",
    """INSERT INTO ducklake_table_stats
       SELECT copy.table_id, record_count, next_row_id, file_size_bytes
         FROM copy, ducklake_table_stats JOIN seed USING (table_id) WHERE table_name = 'small0'""",
    """INSERT INTO ducklake_table_column_stats
       SELECT copy.table_id, column_id, contains_null, contains_nan, min_value, max_value, extra_stats
         FROM copy, ducklake_table_column_stats JOIN seed USING (table_id) WHERE table_name = 'small0'""",
    """INSERT INTO ducklake_schema_versions
       SELECT begin_snapshot, schema_version, copy.table_id
         FROM copy, ducklake_schema_versions JOIN seed USING (table_id) WHERE table_name = 'small0'""",
    # One row for each file to be, in the order of commits: the tables take turns.
    """CREATE TEMP TABLE file AS
       SELECT seed.data_file_id AS seed_id, t.table_id, k,
              next_file_id + row_number() OVER turn - 1 AS data_file_id, snapshot_id + row_number() OVER turn AS snapshot_id
         FROM newest, seed
         JOIN (SELECT table_id, 'small0' AS table_name FROM copy UNION ALL SELECT table_id, table_name FROM seed) t
              USING (table_name),
              LATERAL generate_series(CASE WHEN t.table_id = seed.table_id THEN 1 ELSE 0 END,
                                      CASE table_name WHEN 'big' THEN %(big_files)s ELSE %(files)s END - 1) k
       WINDOW turn AS (ORDER BY k, t.table_id)""",
    """INSERT INTO ducklake_data_file
       SELECT file.data_file_id, file.table_id, file.snapshot_id, NULL, file_order,
              CASE k WHEN 0 THEN path ELSE replace(path, '.parquet', '-' || file.table_id || '-' || k || '.parquet') END,
              path_is_relative, file_format, record_count, file_size_bytes, footer_size, k * 1000, partition_id,
              encryption_key, mapping_id, partial_max
         FROM file JOIN ducklake_data_file seed ON seed.data_file_id = seed_id ORDER BY 1""",
    # Column c holds c times the id.
    """INSERT INTO ducklake_file_column_stats
       SELECT file.data_file_id, file.table_id, column_id, column_size_bytes, value_count, null_count,
              min_value::bigint + k * 1000 * column_id, max_value::bigint + k * 1000 * column_id, contains_nan, extra_stats
         FROM file JOIN ducklake_file_column_stats seed ON seed.data_file_id = seed_id ORDER BY 1, column_id""",
    """INSERT INTO ducklake_delete_file
       SELECT (SELECT max(data_file_id) FROM file) + row_number() OVER (ORDER BY data_file_id), table_id, snapshot_id, NULL,
              data_file_id, 'delete-' || data_file_id || '.parquet', true, 'parquet', 1, 900, 250, NULL, NULL
         FROM file WHERE k %% 5 = 1""",
    """UPDATE ducklake_table_stats t SET record_count = rows, next_row_id = rows, file_size_bytes = bytes
         FROM (SELECT table_id, sum(record_count) AS rows, sum(file_size_bytes) AS bytes FROM ducklake_data_file
                GROUP BY table_id) f WHERE f.table_id = t.table_id""",
    """UPDATE ducklake_table_column_stats t SET max_value = highest
         FROM (SELECT table_id, column_id, max(max_value::bigint) AS highest FROM ducklake_file_column_stats
                GROUP BY table_id, column_id) f WHERE f.table_id = t.table_id AND f.column_id = t.column_id""",
    """INSERT INTO ducklake_snapshot
       SELECT file.snapshot_id, now(), schema_version, next_catalog_id + %(tables)s, data_file_id + 1
         FROM file, newest ORDER BY 1""",
    """UPDATE ducklake_snapshot SET next_file_id = greatest(next_file_id, (SELECT max(delete_file_id) + 1 FROM ducklake_delete_file))
        WHERE snapshot_id = (SELECT max(snapshot_id) FROM ducklake_snapshot)""",
    """INSERT INTO ducklake_snapshot_changes
       SELECT snapshot_id, 'inserted_into_table:' || table_id FROM file ORDER BY 1""",
    "DROP TABLE newest, seed, copy, file",
)
