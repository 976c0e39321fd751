"""/v1/…: a client, tables of each test's own, and users that may do less."""

import itertools

import psycopg
import pytest
from box_process import running
from http_client import Client

_numbers = itertools.count()


@pytest.fixture(scope="package")
def box(boathouse):
    """A box of this folder's own: its tests leave roles behind."""
    with running(boathouse) as box:
        yield box


@pytest.fixture
def client(box):
    return Client(box)


@pytest.fixture
def door(box):
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                         autocommit=True) as connection:
        yield connection


@pytest.fixture
def new_table(door):
    """A function that gives the name of a table of this test's own: new_table("id int"); without columns only a name."""
    made = []

    def make(columns=None):
        made.append(f"http_{next(_numbers)}")
        if columns:
            door.execute(f"CREATE TABLE {made[-1]} ({columns})")
        return made[-1]

    yield make
    for name in made:
        door.execute(f"DROP TABLE IF EXISTS {name}")


@pytest.fixture
def table(new_table):
    return new_table("id int NOT NULL, name text, price decimal(10, 2), day date")


@pytest.fixture
def new_user(door):
    """A function that makes a role and gives a client as it: new_user("GRANT … TO {}")."""

    def make(box, *grants):
        name = f"http_user_{next(_numbers)}"
        door.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'a-fine-password'")
        for grant in ["GRANT CONNECT ON DATABASE lake TO {}", *grants]:
            door.execute(grant.format(name))
        return Client(box, name, "a-fine-password")

    return make
