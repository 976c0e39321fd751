"""The page's troubleshooting: each message that it explains is what a client sees, and what it advises helps."""

import re

import duckdb
import pytest
import runners
from markdown_page import for_box

REFUSED_LOGIN = "password authentication failed|Connection matched|does not exist"  # PostgreSQL's words for the log


@pytest.fixture
def advice(page) -> list[str]:
    """The messages that the page's troubleshooting explains: the words in code at the start of its items."""
    section = page.text.split("\n## Troubleshooting\n")[1]
    return re.findall(r"^- `([^`]+)`", section, re.MULTILINE)


@pytest.fixture
def fails(duckdb_home, monkeypatch):
    """A function that runs statements in a new DuckDB; the text of the error that they end in."""

    def run(*statements: str, home=duckdb_home) -> str:
        monkeypatch.setenv("HOME", str(home))
        with duckdb.connect(config={"home_directory": str(home)}) as client, pytest.raises(duckdb.Error) as caught:
            for statement in statements:
                client.execute(statement)
        return str(caught.value)

    return run


def attach(page, box, **credentials) -> str:
    return f"ATTACH '{for_box(page.block('The connection string', 'text').strip(), box, **credentials)}' AS lake"


def explained(message: str, advice: list[str]) -> bool:
    return any(words in message for words in advice)


def test_port_closed(page, lake, fails, free_port, advice):
    statement = attach(page, lake).replace(f"port={lake.catalog_port}", f"port={free_port()}")
    message = fails("LOAD ducklake", statement)
    assert "Connection refused" in message and explained(message, advice)


def test_wrong_password(page, lake, fails, advice):
    lake.expect(REFUSED_LOGIN)
    message = fails("LOAD ducklake", attach(page, lake, password="guessed"))
    assert 'password authentication failed for user "admin"' in message and explained(message, advice)
    assert lake.password not in message


def test_unknown_user(page, lake, fails, advice):
    lake.expect(REFUSED_LOGIN)
    message = fails("LOAD ducklake", attach(page, lake, user="nobody"))
    assert 'password authentication failed for user "nobody"' in message and explained(message, advice)


def test_unknown_database(page, lake, fails, advice):
    lake.expect('FATAL:  database "boathouse" does not exist')
    message = fails("LOAD ducklake", attach(page, lake).replace(f"dbname={lake.database}", "dbname=boathouse"))
    assert 'database "boathouse" does not exist' in message and explained(message, advice)


def test_load_without_install(fails, empty_home, advice):
    message = fails("SET autoinstall_known_extensions = false", "LOAD ducklake", home=empty_home)
    assert "not found" in message and explained(message, advice)


def test_no_way_to_the_extensions(fails, empty_home, free_port, advice):
    message = fails(f"INSTALL ducklake FROM 'http://127.0.0.1:{free_port()}'", home=empty_home)
    assert explained(message, advice)


def test_load_after_install(page, lake, duckdb_home):
    output = runners.duckdb_cli(f"INSTALL ducklake; LOAD ducklake; {attach(page, lake)}; SELECT 'in';", duckdb_home)
    assert output.splitlines()[-1] == "in"
