"""Group commit through the SQL door, by real drivers."""

import itertools

import duckdb
import psycopg
import pytest
from gathering import door_of

_numbers = itertools.count()


@pytest.fixture
def connect(box):
    """A function that gives an autocommit connection to the SQL door."""
    opened = []

    def open_one(**options) -> psycopg.Connection:
        opened.append(psycopg.connect(door_of(box), autocommit=True, **options))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


@pytest.fixture
def door(connect):
    return connect()


@pytest.fixture
def direct(box, duckdb_home):
    """A DuckDB client of the catalog."""
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute(f"LOAD ducklake; LOAD icu; ATTACH '{box.attach_string}' AS lake; USE lake")
    yield client
    client.close()


@pytest.fixture
def table(box):
    """A table (id int NOT NULL, name text DEFAULT 'nobody', at timestamptz) of this test's own."""
    name = f"gathered_{next(_numbers)}"
    with psycopg.connect(door_of(box), autocommit=True) as owner:
        owner.execute(f"CREATE TABLE {name} (id int NOT NULL, name text DEFAULT 'nobody', at timestamptz)")
    yield name
    with psycopg.connect(door_of(box), autocommit=True) as owner:
        owner.execute(f"DROP TABLE IF EXISTS {name}")
