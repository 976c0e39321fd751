"""Fixtures that every folder of tests shares: the box, an S3 server, a DuckDB client's home.

A test fails when a box that it used wrote a warning or an error that the test did not declare with Box.expect(). When a
test fails, what its boxes logged meanwhile is shown with it.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

import loopback
from box_process import Box, live, running
from s3_server import S3Server

REPOSITORY = Path(__file__).resolve().parent.parent
LOG_SHOWN_CHARACTERS = 20_000

@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def boathouse() -> Path:
    """The `boathouse` executable under test: $BOATHOUSE_BIN, else build/release/boathouse."""
    path = Path(os.environ.get("BOATHOUSE_BIN", REPOSITORY / "build" / "release" / "boathouse"))
    if not os.access(path, os.X_OK):
        pytest.exit(f"no executable at {path}: run 'make build', or name one in BOATHOUSE_BIN", returncode=2)
    return path.resolve()


@pytest.fixture
def free_port():
    """A function that gives a free port of 127.0.0.1 at each call."""
    return loopback.free_port


@pytest.fixture(scope="session")
def cache() -> Path:
    """The directory that keeps downloads and what is made of them, outside the tree."""
    directory = Path(subprocess.check_output([REPOSITORY / "scripts" / "cache"], text=True).strip())
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def duckdb_prefix(cache) -> Path:
    """The pinned DuckDB (include/, lib/, extensions/): $DUCKDB_ROOT, else the cache's."""
    pins = (REPOSITORY / "cmake" / "duckdb.cmake").read_text()
    version = re.search(r"set\(BOATHOUSE_DUCKDB_VERSION ([\d.]+)\)", pins).group(1)
    assert duckdb.__version__ == version, "tests/requirements.txt and cmake/duckdb.cmake pin different DuckDBs"
    return Path(os.environ.get("DUCKDB_ROOT") or cache / f"duckdb-{version}")


@pytest.fixture(scope="session")
def duckdb_home(duckdb_prefix, tmp_path_factory) -> Path:
    """A HOME in which `INSTALL ducklake; LOAD ducklake;` works without the internet."""
    home = tmp_path_factory.mktemp("duckdb-home")
    shutil.copytree(duckdb_prefix / "extensions", home / ".duckdb" / "extensions")
    return home


@pytest.fixture(scope="session")
def box(boathouse):
    """A box on a local data path that tests share: keep to tables of your own names, and do not stop it."""
    with running(boathouse) as box:
        yield box.pause_keeper()


@pytest.fixture
def new_box(boathouse):
    """A function that makes a box for this test alone: new_box(settings={…}, flags=[…], data_path=…, start=False)."""
    made = []

    def make(start: bool = True, **options) -> Box:
        made.append(Box(boathouse, **options))
        return made[-1].start() if start else made[-1]

    yield make
    complaints = [line for box in made for line in box.take_complaints()]
    for box in made:
        box.discard()
    assert not complaints, "the box complained:\n" + "\n".join(complaints)


@pytest.fixture(scope="session")
def s3():
    """A real S3 server with a bucket."""
    server = S3Server()
    try:
        yield server.start()
    finally:
        server.discard()


@pytest.fixture(scope="session")
def box_s3(boathouse, s3):
    """A shared box whose lake lies in the S3 server's bucket, under shared/."""
    with running(boathouse, settings=s3.box_settings("shared")) as box:
        yield box.pause_keeper()


@pytest.fixture(autouse=True)
def _watch_logs():
    for box in live:
        box.begin_test()
    yield
    complaints = [line for box in live for line in box.take_complaints()]
    assert not complaints, "a box complained:\n" + "\n".join(complaints)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for box in live:
            if text := box.test_log():
                report.sections.append((f"log of the box on port {box.catalog_port}", text[-LOG_SHOWN_CHARACTERS:]))
