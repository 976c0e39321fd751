"""A DuckLake on a PostgreSQL as it comes, the lake made by a DuckDB client.

The other side of the comparisons: the same PostgreSQL and DuckDB versions as the box, on the same disk, without anything
that the box adds.
"""

import contextlib
import shutil

import duckdb
from plain_postgres import PlainPostgres


class PlainCatalog(PlainPostgres):
    database = "lakehouse"

    def start(self) -> "PlainCatalog":
        """Starts the server and creates the lake."""
        super().start()
        self.execute(f"CREATE DATABASE {self.database}")
        lake = self.root / "lake"
        lake.mkdir()
        if self.as_user:
            shutil.chown(lake, "postgres", "postgres")
        with duckdb.connect() as client:
            client.execute("INSTALL ducklake; LOAD ducklake")
            client.execute(f"ATTACH '{self.attach_string}' AS lake (DATA_PATH '{lake}/')")
        return self

    @property
    def attach_string(self) -> str:
        return f"ducklake:postgres:{self.dsn(self.database)}"


@contextlib.contextmanager
def running():
    """A started PlainCatalog, discarded at the end."""
    catalog = PlainCatalog()
    try:
        yield catalog.start()
    finally:
        catalog.discard()
