"""The guide that users have followed so far, block by block, as it stands beside the checkout.

Its blocks share one lake, in the page's order: Python makes the table that the others read.
"""

import json

import pytest
import runners
from box_process import running
from markdown_page import Page, for_box

WORKLOAD = """
import json, threading

acknowledged, errors = [], []

def work(thread):
    for number in range(8):
        conn = pool.get_connection()
        try:
            conn.execute("INSERT INTO lake.pooled VALUES (?, ?)", [thread, number])
            acknowledged.append((thread, number))
            seen = conn.execute("SELECT count(*) FROM lake.pooled WHERE thread = ?", [thread]).fetchone()[0]
            if seen != number + 1:
                errors.append(f"thread {thread} wrote {number + 1} rows and saw {seen}")
        except duckdb.Error as error:
            errors.append(repr(error))
        finally:
            pool.return_connection(conn)

connections = [pool.get_connection() for _ in range(5)]
for conn in connections:
    conn.execute("SET ducklake_max_retry_count = 100; SET ducklake_retry_backoff = 1.0")
connections[0].execute("CREATE TABLE lake.pooled (thread INTEGER, number INTEGER)")
for conn in connections:
    pool.return_connection(conn)
threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
stored = connections[0].execute("SELECT count(*), count(DISTINCT (thread, number)) FROM lake.pooled").fetchone()
print(json.dumps({"acknowledged": len(acknowledged), "errors": errors, "stored": stored}))
"""


@pytest.fixture(scope="module")
def guide(repository) -> Page:
    return Page(repository.parent / "shared" / "seed" / "connecting.md")


@pytest.fixture(scope="module")
def guided(boathouse, guide, duckdb_home):
    """A box, after the guide's Python block has run."""
    with running(boathouse) as box:
        box.python_output = runners.python(for_box(guide.block("Python", "python"), box), duckdb_home)
        yield box


def test_every_block_is_run(guide):
    assert {(block.section, block.language, block.number) for block in guide.blocks} == {
        ("Connection String Format", "", 0), ("Python", "bash", 0), ("Python", "python", 0), ("Go", "bash", 0),
        ("Go", "go", 0), ("DuckDB CLI", "bash", 0), ("DuckDB CLI", "sql", 0), ("Jupyter Notebook", "python", 0),
        ("Connection Pooling", "python", 0)}


def test_connection_string(guided, guide, duckdb_home):
    string = (guide.block("Connection String Format", "").strip().replace("YOUR_HOST", guided.host)
              .replace("5432", str(guided.catalog_port)).replace("=USER", f"={guided.user}")
              .replace("=PASSWORD", f"={guided.password}").replace("=DATABASE", f"={guided.database}"))
    output = runners.duckdb_cli(f"LOAD ducklake; ATTACH '{string}' AS lake; FROM lake.customers;", duckdb_home)
    assert "alice@example.com" in output


def test_python(guided, guide, duckdb_home):
    runners.shell(guide.block("Python", "bash"), duckdb_home)
    alice, bob, snapshots = guided.python_output.splitlines()
    assert alice.startswith("(1, 'Alice', 'alice@example.com', datetime")
    assert bob.startswith("(2, 'Bob', 'bob@example.com', datetime")
    assert snapshots.startswith("Available snapshots: [(0, datetime") and "tables_created" in snapshots


def test_go(guided, guide, duckdb_home, duckdb_prefix, go):
    """The block scans three columns of four and drops the error, so it prints one row of zero values for each customer."""
    output = go.run(guide.block("Go", "bash"), for_box(guide.block("Go", "go"), guided), duckdb_home,
                    build='CGO_LDFLAGS="-L$DUCKDB_LIB -lduckdb -Wl,-rpath,$DUCKDB_LIB" go build -tags duckdb_use_lib',
                    DUCKDB_LIB=str(duckdb_prefix / "lib"))
    assert output == "0:  ()\n0:  ()\n"


def test_duckdb_cli(guided, guide, duckdb_home):
    output = runners.duckdb_cli(for_box(guide.block("DuckDB CLI", "sql"), guided), duckdb_home,
                                command=guide.block("DuckDB CLI", "bash").strip())
    assert "1,Alice,alice@example.com," in output and "2,Bob,bob@example.com," in output


def test_jupyter(guided, guide, fresh_home):
    output = runners.notebook(for_box(guide.block("Jupyter Notebook", "python"), guided), fresh_home)
    assert "alice@example.com" in output


def test_pool(guided, guide, duckdb_home):
    block = guide.block("Connection Pooling", "python").replace(
        "host=... user=... password=... dbname=...",
        f"host={guided.host} port={guided.catalog_port} user={guided.user} password={guided.password} "
        f"dbname={guided.database}")
    result = json.loads(runners.python(block + WORKLOAD, duckdb_home).splitlines()[-1])
    assert result["errors"] == []
    assert result["acknowledged"] == 16 * 8
    assert result["stored"] == [result["acknowledged"]] * 2
