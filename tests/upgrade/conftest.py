"""Fixtures of the tests of PostgreSQL's versions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from postgres_versions import VERSIONS, fetch


@pytest.fixture(scope="session")
def postgres_of(cache) -> Callable[[int], Path]:
    """A function that gives the directory of a major version's programs: one of VERSIONS."""
    return lambda major: fetch(cache, major)


@pytest.fixture(scope="session")
def newest_postgres(postgres_of) -> Path:
    return postgres_of(max(VERSIONS))
