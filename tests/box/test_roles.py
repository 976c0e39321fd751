"""Who may do what when attaching directly: the group roles, with the official client and every path it writes by.

DuckDB's postgres extension offers more than DuckLake does: an attached catalog can be updated as tables. That is tried too.
"""

import contextlib
import uuid

import duckdb
import psycopg
import pytest

PASSWORD = "p-for-tests"


@contextlib.contextmanager
def attached(box, user: str, password: str):
    """A fresh client with the lake attached as that user."""
    with duckdb.connect() as client:
        client.execute("LOAD ducklake; LOAD postgres_scanner")
        client.execute(f"ATTACH 'ducklake:postgres:{dsn(box, user, password)}' AS lake")
        yield client


def dsn(box, user: str, password: str) -> str:
    return f"host={box.host} port={box.catalog_port} user={user} password={password} dbname={box.database}"


def refuse(client, statement: str) -> None:
    with pytest.raises(duckdb.Error, match=r"permission denied|must be owner"):
        client.execute(statement).fetchall()


@pytest.fixture(scope="module", autouse=True)
def home(duckdb_home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(duckdb_home))
        yield


@pytest.fixture(scope="module")
def users(box):
    """One user of each role, made by POSTGRES_USER with plain SQL."""
    names = {role: f"{role}_{uuid.uuid4().hex[:8]}" for role in ("reader", "writer", "admin")}
    with psycopg.connect(box.dsn, autocommit=True) as owner:
        for role, name in names.items():
            owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
            owner.execute(f"GRANT lake_{role} TO {name}")
        yield names
        for name in names.values():
            owner.execute(f"DROP ROLE {name}")


@pytest.fixture(scope="module")
def table(box):
    """A table of the owner's, with an inlined row and a data file; it stays as it is."""
    name = f"roles_{uuid.uuid4().hex[:8]}"
    with attached(box, box.user, box.password) as client:
        client.execute(f"CREATE TABLE lake.{name} AS SELECT i AS id, 'row ' || i AS text FROM range(1000) r(i)")
        client.execute(f"INSERT INTO lake.{name} VALUES (1000, 'inlined')")
        yield name
        client.execute(f"DROP TABLE IF EXISTS lake.{name}")


@pytest.fixture(scope="module")
def reader(box, users):
    """A reader's client: the lake as `lake`, its catalog's tables as `catalog`."""
    with attached(box, users["reader"], PASSWORD) as client:
        client.execute("SET ducklake_max_retry_count = 0")
        client.execute(f"ATTACH '{dsn(box, users['reader'], PASSWORD)}' AS catalog (TYPE postgres)")
        yield client


def test_reader_reads(reader, table):
    assert reader.execute(f"SELECT count(*), max(id) FROM lake.{table}").fetchone() == (1001, 1000)
    assert reader.execute(f"SELECT text FROM lake.{table} WHERE id = 1000").fetchone() == ("inlined",)
    assert reader.execute("SELECT count(*) FROM lake.snapshots()").fetchone()[0] > 1
    info = reader.execute(f"SELECT file_count FROM ducklake_table_info('lake') WHERE table_name = '{table}'")
    assert info.fetchone() == (1,)


@pytest.mark.parametrize("statement", [
    "INSERT INTO lake.{table} VALUES (1, 'one')",
    "INSERT INTO lake.{table} SELECT i, 'many' FROM range(1000) r(i)",
    "UPDATE lake.{table} SET text = '' WHERE id = 1000",
    "UPDATE lake.{table} SET text = '' WHERE id = 1",
    "DELETE FROM lake.{table} WHERE id = 1",
    "DELETE FROM lake.{table} WHERE id = 1000",
    "MERGE INTO lake.{table} t USING (SELECT 5 AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE",
    "CREATE TABLE lake.other (id INTEGER)",
    "CREATE TABLE lake.other AS SELECT 1 AS id",
    "CREATE SCHEMA lake.other",
    "CREATE VIEW lake.other AS SELECT 1 AS id",
    "CREATE MACRO lake.other(a) AS a + 1",
    "ALTER TABLE lake.{table} ADD COLUMN more INTEGER",
    "ALTER TABLE lake.{table} RENAME TO other",
    "ALTER TABLE lake.{table} SET PARTITIONED BY (id)",
    "COMMENT ON TABLE lake.{table} IS 'mine'",
    "DROP TABLE lake.{table}",
    "CALL lake.set_option('target_file_size', '1MB')",
    "CALL ducklake_flush_inlined_data('lake')",
    "CALL ducklake_expire_snapshots('lake', older_than => now())",
    "UPDATE catalog.public.ducklake_metadata SET value = ''",
    "INSERT INTO catalog.public.ducklake_metadata VALUES ('a', 'b', NULL, NULL)",
    "DELETE FROM catalog.public.ducklake_snapshot",
    "DROP TABLE catalog.public.ducklake_snapshot",
    "CREATE TABLE catalog.public.other (id INTEGER)",
    "CALL postgres_execute('catalog', 'TRUNCATE public.ducklake_snapshot')",
    "CALL postgres_execute('catalog', 'CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS ''SELECT 1''')",
])
def test_reader_writes_nothing(reader, table, statement):
    refuse(reader, statement.format(table=table))
    assert reader.execute(f"SELECT count(*) FROM lake.{table}").fetchone() == (1001,)


@pytest.mark.parametrize("role", ["writer", "admin"])
def test_writer_does_all_that_ducklake_does(box, users, role):
    name = f"roles_{uuid.uuid4().hex[:8]}"
    with attached(box, users[role], PASSWORD) as client:
        for statement in (
            "CREATE TABLE lake.{name} (id INTEGER, text VARCHAR)",
            "INSERT INTO lake.{name} VALUES (1, 'one'), (2, 'two')",
            "INSERT INTO lake.{name} SELECT i, 'many' FROM range(1000) r(i)",
            "UPDATE lake.{name} SET text = 'changed' WHERE id = 2",
            "DELETE FROM lake.{name} WHERE id = 1",
            "ALTER TABLE lake.{name} ADD COLUMN more INTEGER",
            "INSERT INTO lake.{name} VALUES (3, 'three', 3)",
            "CREATE SCHEMA lake.s_{name}",
            "CREATE VIEW lake.v_{name} AS SELECT * FROM lake.{name}",
            "COMMENT ON TABLE lake.{name} IS 'ours'",
            # The second call is an UPDATE, which the postgres extension does by way of a temporary table.
            "CALL lake.set_option('target_file_size', '100MB', table_name => '{name}')",
            "CALL lake.set_option('target_file_size', '200MB', table_name => '{name}')",
            "CALL ducklake_flush_inlined_data('lake')",
            "CALL ducklake_merge_adjacent_files('lake')",
            "CALL ducklake_rewrite_data_files('lake')",
            "CALL ducklake_expire_snapshots('lake', dry_run => true, older_than => now() - INTERVAL 7 DAY)",
            "DROP VIEW lake.v_{name}",
            "DROP SCHEMA lake.s_{name}",
        ):
            client.execute(statement.format(name=name)).fetchall()
        assert client.execute(f"SELECT count(*) FROM lake.{name}").fetchone() == (1001,)
        client.execute(f"DROP TABLE lake.{name}")


def test_writers_share_the_inlined_tables_that_they_make(box, users, reader):
    name = f"roles_{uuid.uuid4().hex[:8]}"
    with attached(box, users["writer"], PASSWORD) as writer, attached(box, users["admin"], PASSWORD) as admin:
        writer.execute(f"CREATE TABLE lake.{name} (id INTEGER, who VARCHAR)")
        writer.execute(f"INSERT INTO lake.{name} VALUES (1, 'writer')")
        admin.execute(f"INSERT INTO lake.{name} VALUES (2, 'admin')")
        admin.execute(f"DELETE FROM lake.{name} WHERE id = 1")
        assert reader.execute(f"SELECT who FROM lake.{name}").fetchall() == [("admin",)]
        admin.execute(f"DROP TABLE lake.{name}")
    with psycopg.connect(box.dsn) as owner:
        owners = owner.execute("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class "
                               "WHERE relname ~ '^ducklake_inlined_(data|delete)_[0-9]' AND relkind = 'r'").fetchall()
    assert owners == [("lake_writer",)]


def test_expiry_by_one_writer_drops_the_inlined_tables_of_another(new_box):
    box = new_box()
    with psycopg.connect(box.dsn, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE ana LOGIN PASSWORD '{PASSWORD}'")
        owner.execute(f"CREATE ROLE ben LOGIN PASSWORD '{PASSWORD}'")
        owner.execute("GRANT lake_writer TO ana, ben")
        with attached(box, "ana", PASSWORD) as ana:
            ana.execute("CREATE TABLE lake.short (id INTEGER)")
            ana.execute("INSERT INTO lake.short VALUES (1)")
            ana.execute("DROP TABLE lake.short")
        inlined = "SELECT relname FROM pg_class WHERE relname LIKE 'ducklake_inlined_data_1_%' AND relkind = 'r'"
        assert owner.execute(inlined).fetchall()
        with attached(box, "ben", PASSWORD) as ben:
            ben.execute("CALL ducklake_expire_snapshots('lake', older_than => now())").fetchall()
        assert not owner.execute(inlined).fetchall()


def test_catalog_holds_no_table_but_ducklakes(box):
    with psycopg.connect(box.dsn) as owner:
        foreign = owner.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname !~ '^(pg_|information_schema$)' "
            "AND NOT (n.nspname = 'public' AND c.relname LIKE 'ducklake%')").fetchall()
    assert foreign == []
