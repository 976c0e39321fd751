"""Fixtures of the client tests: the pages, the toolchains, lakes that hold what a page's Python block put there."""

import shutil
from pathlib import Path

import pytest
import runners
from box_process import running
from markdown_page import Page, for_box, for_bucket

REPOSITORY = Path(__file__).resolve().parents[2]
# A guide for users that is kept outside this repository, beside the checkout; its blocks are run where it is there.
GUIDE = REPOSITORY.parent / "shared" / "seed" / "connecting.md"

collect_ignore = [] if GUIDE.exists() else ["test_guide.py"]


def pytest_report_header(config):
    return None if GUIDE.exists() else "test_guide.py is not collected: its page is not beside the checkout"


@pytest.fixture(scope="session")
def page() -> Page:
    """The project's own page."""
    return Page(REPOSITORY / "docs" / "connecting.md")


@pytest.fixture(scope="session")
def go(cache) -> runners.Go:
    return runners.Go(cache)


@pytest.fixture(scope="session")
def java(cache) -> runners.Java:
    return runners.Java(cache)


@pytest.fixture(scope="session")
def node(cache) -> runners.Node:
    return runners.Node(cache)


@pytest.fixture(scope="session")
def rust(cache) -> runners.Rust:
    return runners.Rust(cache)


@pytest.fixture(scope="session")
def lake(boathouse, page, duckdb_home):
    """A box on a local data path, after the page's Python block has run."""
    with running(boathouse) as box:
        box.pause_keeper()
        box.python_output = runners.python(for_box(page.block("Python", "python"), box), duckdb_home)
        yield box


@pytest.fixture
def empty_home(tmp_path) -> Path:
    """A HOME without any extension."""
    return tmp_path


@pytest.fixture
def fresh_home(duckdb_home, tmp_path) -> Path:
    """A HOME with the extensions, for a test that leaves something in it."""
    shutil.copytree(duckdb_home / ".duckdb", tmp_path / ".duckdb")
    return tmp_path


@pytest.fixture(scope="session")
def lake_s3(boathouse, s3, page, duckdb_home, tmp_path_factory):
    """A box whose lake is in the bucket, and in `client_home` a HOME that has the page's secret, for this server."""
    home = tmp_path_factory.mktemp("s3-client-home")
    shutil.copytree(duckdb_home / ".duckdb", home / ".duckdb")
    for number in (0, 1):
        runners.duckdb_cli(for_bucket(page.block("A lake in S3", "sql", number), s3), home)
    with running(boathouse, settings=s3.box_settings("clients")) as box:
        box.pause_keeper().client_home = home
        box.python_output = runners.python(for_box(page.block("Python", "python"), box), home)
        yield box
