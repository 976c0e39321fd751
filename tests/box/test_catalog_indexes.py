"""Each index of the box is one that PostgreSQL uses for queries that DuckLake itself sends, or the mirror.

DuckLake's are not written down here but caught: a real client prints what it sends. Their plans are asked for on a
catalog that is large enough for a choice. What the mirror has used PostgreSQL counts. No times: bench/catalog_scale.py
and bench/introspection.py have those.
"""

import re
import subprocess
import sys
import time

import duckdb
import psycopg
import pytest

CLIENT = """
import sys, duckdb
client = duckdb.connect()
client.execute("LOAD ducklake; LOAD postgres_scanner")
client.execute(f"ATTACH '{sys.argv[1]}' AS lake")
client.execute("SET pg_debug_show_queries = true")
for statement in sys.stdin.read().split(";"):
    client.execute(statement).fetchall()
"""

STATEMENTS = """
SELECT c2 FROM lake.small3 WHERE id = 500;
INSERT INTO lake.small3 SELECT i, i, i FROM range(100) r(i);
DELETE FROM lake.small3 WHERE id = 600
"""

# DuckLake reads by COPY (SELECT …) TO STDOUT and updates statistics by WITH new_values … UPDATE.
DUCKLAKES = ["boathouse_data_file", "boathouse_delete_file", "boathouse_file_column_stats", "boathouse_table_column_stats"]
MIRRORS = ["boathouse_column", "boathouse_column_begin", "boathouse_column_end"]
COUNT_TIMEOUT_SECONDS = 60

READ = re.compile(r'COPY \((SELECT.*?)\) TO STDOUT \(FORMAT "binary"\)', re.DOTALL)
UPDATE = re.compile(r"WITH new_values.*?;", re.DOTALL)


@pytest.fixture(scope="module")
def large_box(boathouse, repository, duckdb_home):
    """A box whose catalog is large; HOME has the extensions meanwhile."""
    from box_process import running
    sys.path.insert(0, str(repository / "bench"))
    import large_catalog

    with pytest.MonkeyPatch.context() as patch, running(boathouse) as box:
        patch.setenv("HOME", str(duckdb_home))
        with duckdb.connect() as client, psycopg.connect(box.dsn, autocommit=True) as owner:
            client.execute(f"LOAD ducklake; ATTACH '{box.attach_string}' AS lake")
            large_catalog.grow(client, owner, large_catalog.Size(big_files=5000, tables=500, files=20, columns=3))
        box.expect("only superuser can vacuum it")
        box.take_complaints()
        yield box


@pytest.fixture(scope="module")
def plans(large_box) -> str:
    """EXPLAIN of every query that a client sends for STATEMENTS."""
    sent = subprocess.run([sys.executable, "-c", CLIENT, large_box.attach_string], input=STATEMENTS, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    queries = READ.findall(sent) + UPDATE.findall(sent)
    assert len(queries) > 10
    with psycopg.connect(large_box.dsn, autocommit=True) as owner:
        return "\n".join(line for query in queries for (line,) in owner.execute(f"EXPLAIN {query}".replace("%", "%%")))


@pytest.mark.parametrize("index", DUCKLAKES)
def test_ducklakes_own_queries_use(plans, index):
    assert re.search(rf"Index (Only )?Scan (using|on) {index}\b", plans), plans


def test_the_mirror_uses(large_box):
    used = "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE indexrelname = ANY(%s)"
    with (psycopg.connect(large_box.dsn, autocommit=True) as owner,
          psycopg.connect(host=large_box.host, port=large_box.sql_port, user=large_box.user, password=large_box.password,
                          dbname="lake", autocommit=True) as lake):
        lake.execute("SELECT count(*) FROM pg_class").fetchall()
        before = dict(owner.execute(used, [MIRRORS]).fetchall())
        assert set(before) == set(MIRRORS)
        lake.execute("CREATE TABLE changed (a int)")
        assert lake.execute("SELECT 'changed'::regclass::text").fetchone() == ("changed",)
        # PostgreSQL's sessions tell what they have counted now and then.
        deadline = time.monotonic() + COUNT_TIMEOUT_SECONDS
        while not all(count > before[name] for name, count in owner.execute(used, [MIRRORS]).fetchall()):
            assert time.monotonic() < deadline, owner.execute(used, [MIRRORS]).fetchall()
            time.sleep(0.1)


def test_every_index_is_tested(box):
    with psycopg.connect(box.dsn) as owner:
        names = owner.execute("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'boathouse%'").fetchall()
    assert {name for (name,) in names} == {*DUCKLAKES, *MIRRORS}
