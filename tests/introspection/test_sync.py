"""What the mirror shows of a lake that clients have left in a state of their own."""

import psycopg
import pytest
from direct_client import attached


@pytest.fixture
def direct(schema_box, duckdb_home):
    """A DuckDB client of the catalog."""
    with attached(schema_box, duckdb_home) as client:
        yield client


def test_leaves_out_a_table_without_columns_as_ducklake_does(direct, lake, schema_box):
    """Two clients that rename a table and drop it at once can leave its row behind, whose columns have ended."""
    ended = "UPDATE ducklake_column SET end_snapshot = %s WHERE table_id = (SELECT table_id FROM ducklake_table WHERE table_name = 'hollow')"
    direct.execute("CREATE TABLE hollow (a int)")
    assert lake.execute("SELECT to_regclass('hollow')::text").fetchone() == ("hollow",)
    (snapshot,) = direct.execute("SELECT max(snapshot_id) FROM lake.snapshots()").fetchone()
    with psycopg.connect(schema_box.dsn, autocommit=True) as catalog:
        catalog.execute(ended, (snapshot + 1,))
        try:
            direct.execute("CREATE TABLE beside_it (a int)")
            shown = "SELECT to_regclass('hollow')::text, to_regclass('beside_it')::text"
            assert lake.execute(shown).fetchone() == (None, "beside_it")
            assert direct.execute("SELECT table_name FROM duckdb_tables() WHERE table_name IN ('hollow', 'beside_it')").fetchall() == [
                ("beside_it",)]
        finally:
            catalog.execute(ended, (None,))
            direct.execute("DROP TABLE IF EXISTS beside_it")
            direct.execute("DROP TABLE IF EXISTS hollow")
    assert lake.execute("SELECT to_regclass('hollow')").fetchone() == (None,)
