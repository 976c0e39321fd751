"""Fixtures of the tests of backup and restore."""

import pytest

from backed_up import started


@pytest.fixture(scope="session")
def lake(boathouse):
    """A box with the tables kept (100,001 rows, one of them inlined) and counted (1,234), which tests do not change."""
    with started(boathouse) as lake:
        lake.sql("CREATE TABLE kept AS SELECT range AS id, 'row ' || range AS name FROM range(100000)")
        lake.sql("INSERT INTO kept VALUES (-1, 'inlined')")
        lake.sql("CREATE TABLE counted AS SELECT range AS id FROM range(1234)")
        yield lake


@pytest.fixture
def into(lake, request):
    """A directory to restore into, beside the lake's."""
    return lake.box.root / f"restored-{request.node.name.replace('[', '-').replace(']', '')}"
