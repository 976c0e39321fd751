"""Fixtures of the tests that run `boathouse` as an operator does."""

import pytest

from command import Command


@pytest.fixture
def run(boathouse, tmp_path):
    """run("config", "show", POSTGRES_DB="x") gives exit code, output and errors."""
    return Command(boathouse, tmp_path)
