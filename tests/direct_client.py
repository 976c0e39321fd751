"""A DuckDB client of a box's catalog, with the official extensions as the tests have them, whatever the user's own DuckDB has."""

import duckdb


def attached(box, duckdb_home) -> duckdb.DuckDBPyConnection:
    """Attached as "lake", and in use."""
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute(f"LOAD ducklake; LOAD postgres_scanner; ATTACH '{box.attach_string}' AS lake; USE lake")
    return client
