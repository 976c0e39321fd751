"""A box whose catalog is of another PostgreSQL than Debian's, from initdb on: both doors, the mirror, the keeper."""

import json
import subprocess

import duckdb
import psycopg
import pytest
from box_process import running
from postgres_versions import VERSIONS


@pytest.fixture(scope="module", params=VERSIONS)
def major(request) -> int:
    return request.param


@pytest.fixture(scope="module")
def other(boathouse, postgres_of, major):
    with running(boathouse, settings={"BOATHOUSE_PG_BIN": str(postgres_of(major))}) as box:
        yield box.pause_keeper()


@pytest.fixture
def door(other):
    with psycopg.connect(host=other.host, port=other.sql_port, user=other.user, password=other.password, dbname="lake",
                         autocommit=True) as connection:
        yield connection


def test_both_doors(other, major, door, duckdb_home):
    with psycopg.connect(other.dsn) as catalog:
        assert catalog.info.server_version // 10000 == major
    door.execute("CREATE TABLE two_doors (i int, at timestamptz)")
    door.execute("INSERT INTO two_doors (i) VALUES (%s)", (1,), prepare=True)
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute(f"LOAD ducklake; ATTACH '{other.attach_string}' AS lake")
    client.execute("INSERT INTO lake.two_doors (i) SELECT range + 2 FROM range(1000)")
    assert door.execute("SELECT count(*), max(i) FROM two_doors").fetchone() == (1001, 1001)
    client.close()


def test_the_mirror_and_its_privileges(other, door):
    door.execute("CREATE TABLE shown (id int NOT NULL, name text)")
    door.execute("COMMENT ON COLUMN shown.name IS 'as it is called'")
    columns = door.execute("""SELECT attname, format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum)
                              FROM pg_attribute WHERE attrelid = 'shown'::regclass AND attnum > 0 ORDER BY attnum""").fetchall()
    assert columns == [("id", "integer", True, None), ("name", "text", False, "as it is called")]
    door.execute("CREATE ROLE viewer LOGIN PASSWORD 'a-fine-password'")
    door.execute("GRANT CONNECT ON DATABASE lake TO viewer")
    door.execute("GRANT SELECT (id) ON shown TO viewer")
    with psycopg.connect(host=other.host, port=other.sql_port, user="viewer", password="a-fine-password", dbname="lake",
                         autocommit=True) as viewer:
        assert viewer.execute("SELECT id FROM shown").fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            viewer.execute("SELECT name FROM shown")
    door.execute("ALTER ROLE viewer PASSWORD 'another-password'")
    door.execute("DROP TABLE shown")
    door.execute("REVOKE ALL ON DATABASE lake FROM viewer")
    door.execute("DROP ROLE viewer")


def test_the_keeper(other, door):
    door.execute("CREATE TABLE kept (i int)")
    for number in range(17):
        door.execute(f"INSERT INTO kept SELECT range + {number * 20} FROM range(20)")
    door.execute("DELETE FROM kept WHERE i % 4 = 0")
    done = subprocess.run([other.binary, "keeper", "run", "--json", "--data-dir", other.data_dir], env=other.environment,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert {"done"} == {run["outcome"] for run in json.loads(done.stdout) if run["table"] == "kept"}
    assert door.execute("SELECT count(*), sum(i) FROM kept").fetchone() == (255, sum(i for i in range(340) if i % 4))
