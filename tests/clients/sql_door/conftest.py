"""Fixtures of the tests that come through the SQL door: where it is, and where the PostgreSQL is that it is compared with."""

import psycopg
import pytest


@pytest.fixture(scope="session")
def door(box) -> dict:
    """How a driver reaches the SQL door: host, port, user, password, dbname."""
    return {"host": box.host, "port": box.sql_port, "user": box.user, "password": box.password, "dbname": "lake"}


@pytest.fixture(scope="session")
def postgres(box) -> dict:
    """How a driver reaches a real PostgreSQL 15: the box's own catalog server, in a database that is nobody's lake."""
    return {"host": box.host, "port": box.catalog_port, "user": box.user, "password": box.password, "dbname": "postgres"}


@pytest.fixture(scope="session")
def urls(door, postgres) -> dict[str, str]:
    """The environment of a suite in another language: SQL_DOOR and POSTGRES as URLs."""

    def url(where: dict) -> str:
        return "postgresql://{user}:{password}@{host}:{port}/{dbname}?sslmode=require".format(**where)

    return {"SQL_DOOR": url(door), "POSTGRES": url(postgres)}


@pytest.fixture
def lake(door):
    """A psycopg connection through the door, for what a test of another driver prepares and checks."""
    with psycopg.connect(**door, autocommit=True) as connection:
        yield connection


@pytest.fixture
def new_table(lake):
    """A function that makes a table of the lake (name, columns) for this test alone."""
    made = []

    def make(name: str, columns: str) -> str:
        lake.execute(f"CREATE TABLE {name} ({columns})")
        made.append(name)
        return name

    yield make
    for name in made:
        lake.execute(f"DROP TABLE IF EXISTS {name}")
