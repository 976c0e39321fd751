"""Fixtures of the tests of privileges: a box of their own, and clients of the SQL door as any role.

Roles are made through the door as a user makes them: with a password and CONNECT on the lake, members of nothing.
"""

import psycopg
import pytest
from box_process import running

PASSWORD = "a password of theirs"


@pytest.fixture(scope="session")
def privilege_box(boathouse):
    with running(boathouse) as box:
        yield box


@pytest.fixture(scope="session")
def client(privilege_box):
    """A function that gives a new connection of a role: client("ana")."""
    box = privilege_box
    opened = []

    def connect(role: str, **options) -> psycopg.Connection:
        password = box.password if role == box.user else PASSWORD
        where = {"host": box.host, "port": box.sql_port, "user": role, "password": password, "dbname": "lake"}
        opened.append(psycopg.connect(**where, **{"autocommit": True, **options}))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture(scope="session")
def owner(client, privilege_box):
    """The lake's owner."""
    return client(privilege_box.user)


@pytest.fixture(scope="session")
def new_role(owner):
    """A function that makes a role that may come in, and nothing else: new_role("ana")."""

    def make(name: str, *groups: str) -> str:
        owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
        owner.execute(f"GRANT CONNECT ON DATABASE lake TO {name}")
        for group in groups:
            owner.execute(f"GRANT {group} TO {name}")
        return name

    return make
