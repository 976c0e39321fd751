"""Fixtures of the SQL tests: one box a configuration, and `--complete`, which writes the rows that were got into files."""

import psycopg
import pytest
from box_process import running


def pytest_addoption(parser):
    parser.addoption("--complete", action="store_true",
                     help="write the rows that were got into the files of tests/sql, to be read before they are kept")


@pytest.fixture(scope="session")
def box_encrypted(boathouse):
    """A shared box whose lake is encrypted."""
    with running(boathouse, settings={"BOATHOUSE_LAKE_ENCRYPTED": "true"}) as box:
        yield box.pause_keeper()


@pytest.fixture(scope="session")
def postgres(box):
    """The connection string of a database of PostgreSQL's own, without a lake: what the SQL door is compared with.

    It lies in the shared box's cluster, and is made through its private socket, where the box's user is superuser.
    """
    socket = box.data_dir / "run"
    superuser = f"host={socket} port={box.catalog_port} user=boathouse"
    with psycopg.connect(f"{superuser} dbname=postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE peer TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    return f"{superuser} dbname=peer options='-c timezone=UTC'"
