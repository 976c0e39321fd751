"""The SQL door, message by message: connections that speak the protocol by hand."""

import itertools

import pytest
from wire import Wire

_numbers = itertools.count()


@pytest.fixture
def wire(box):
    """A function that gives a logged-in connection: wire(application_name=…)."""
    opened = []

    def open_one(**parameters) -> Wire:
        opened.append(Wire(box).log_in(**parameters))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.socket.close()


@pytest.fixture
def door(wire):
    return wire()


@pytest.fixture
def table(wire):
    """A table (id int, name text) of this test's own."""
    name = f"door_{next(_numbers)}"
    owner = wire()
    owner.rows(f"CREATE TABLE {name} (id int, name text)")
    yield name
    with Wire(owner.box).log_in() as last:
        last.rows(f"DROP TABLE IF EXISTS {name}")
