"""A box whose catalog is of the newest PostgreSQL, from initdb on: both doors, the mirror, the keeper."""

import duckdb
import psycopg
import pytest
from box_process import running


@pytest.fixture(scope="module")
def newest(boathouse, newest_postgres):
    with running(boathouse, settings={"BOATHOUSE_PG_BIN": str(newest_postgres)}) as box:
        yield box.pause_keeper()


@pytest.fixture
def door(newest):
    with psycopg.connect(host=newest.host, port=newest.sql_port, user=newest.user, password=newest.password, dbname="lake",
                         autocommit=True) as connection:
        yield connection


def test_both_doors(newest, door, duckdb_home):
    with psycopg.connect(newest.dsn) as catalog:
        assert catalog.info.server_version // 10000 == 18
    door.execute("CREATE TABLE two_doors (i int, at timestamptz)")
    door.execute("INSERT INTO two_doors (i) VALUES (%s)", (1,), prepare=True)
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute(f"LOAD ducklake; ATTACH '{newest.attach_string}' AS lake")
    client.execute("INSERT INTO lake.two_doors (i) SELECT range + 2 FROM range(1000)")
    assert door.execute("SELECT count(*), max(i) FROM two_doors").fetchone() == (1001, 1001)
    client.close()


def test_the_mirror_and_its_privileges(newest, door):
    door.execute("CREATE TABLE shown (id int NOT NULL, name text)")
    door.execute("COMMENT ON COLUMN shown.name IS 'as it is called'")
    columns = door.execute("""SELECT attname, format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum)
                              FROM pg_attribute WHERE attrelid = 'shown'::regclass AND attnum > 0 ORDER BY attnum""").fetchall()
    assert columns == [("id", "integer", True, None), ("name", "text", False, "as it is called")]
    door.execute("CREATE ROLE viewer LOGIN PASSWORD 'a-fine-password'")
    door.execute("GRANT CONNECT ON DATABASE lake TO viewer")
    door.execute("GRANT SELECT (id) ON shown TO viewer")
    with psycopg.connect(host=newest.host, port=newest.sql_port, user="viewer", password="a-fine-password", dbname="lake",
                         autocommit=True) as viewer:
        assert viewer.execute("SELECT id FROM shown").fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            viewer.execute("SELECT name FROM shown")
    door.execute("ALTER ROLE viewer PASSWORD 'another-password'")
    door.execute("DROP TABLE shown")
    door.execute("REVOKE ALL ON DATABASE lake FROM viewer")
    door.execute("DROP ROLE viewer")
