"""Fixtures that every folder of tests shares: the box, an S3 server, a DuckDB client's home.

A test fails when a box that it used wrote a warning or an error that the test did not declare with Box.expect(). When a
test fails, what its boxes logged meanwhile is shown with it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import loopback
from box_process import Box
from s3_server import S3Server

REPOSITORY = Path(__file__).resolve().parent.parent
LOG_SHOWN_CHARACTERS = 20_000

_boxes: list[Box] = []  # every box that is not discarded yet
_log_start: dict[Box, int] = {}  # where each box's log stood when the running test began


def _new_box(binary: Path, **options) -> Box:
    box = Box(binary, **options)
    _boxes.append(box)
    return box


def _discard(box: Box) -> None:
    _boxes.remove(box)
    _log_start.pop(box, None)
    box.discard()


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
def duckdb_prefix() -> Path:
    """The pinned DuckDB (include/, lib/, extensions/): $DUCKDB_ROOT, else the cache's."""
    pins = (REPOSITORY / "cmake" / "duckdb.cmake").read_text()
    version = re.search(r"set\(BOATHOUSE_DUCKDB_VERSION ([\d.]+)\)", pins).group(1)
    assert duckdb.__version__ == version, "tests/requirements.txt and cmake/duckdb.cmake pin different DuckDBs"
    cache = subprocess.run([REPOSITORY / "scripts" / "cache"], check=True, capture_output=True, text=True).stdout.strip()
    return Path(os.environ.get("DUCKDB_ROOT") or f"{cache}/duckdb-{version}")


@pytest.fixture(scope="session")
def duckdb_home(duckdb_prefix, tmp_path_factory) -> Path:
    """A HOME in which `INSTALL ducklake; LOAD ducklake;` works without the internet."""
    home = tmp_path_factory.mktemp("duckdb-home")
    shutil.copytree(duckdb_prefix / "extensions", home / ".duckdb" / "extensions")
    return home


@pytest.fixture(scope="session")
def box(boathouse):
    """A box on a local data path that tests share: keep to tables of your own names, and do not stop it."""
    box = _new_box(boathouse)
    try:
        yield box.start()
    finally:
        _discard(box)


@pytest.fixture
def new_box(boathouse):
    """A function that makes a box for this test alone: new_box(settings={…}, flags=[…], data_path=…, start=False)."""
    made = []

    def make(start: bool = True, **options) -> Box:
        made.append(_new_box(boathouse, **options))
        return made[-1].start() if start else made[-1]

    yield make
    complaints = [line for box in made for line in box.take_complaints()]
    for box in made:
        _discard(box)
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
    box = _new_box(boathouse, settings=s3.box_settings("shared"))
    try:
        yield box.start()
    finally:
        _discard(box)


@pytest.fixture(autouse=True)
def _watch_logs():
    for box in _boxes:
        _log_start[box] = len(box.log())
    yield
    complaints = [line for box in _boxes for line in box.take_complaints()]
    assert not complaints, "a box complained:\n" + "\n".join(complaints)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for box in _boxes:
            text = box.log()[_log_start.get(box, 0):]
            if text:
                report.sections.append((f"log of the box on {box.catalog_port}", text[-LOG_SHOWN_CHARACTERS:]))
