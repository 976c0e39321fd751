"""psql against the SQL door: what a person types, and what scripts rely on."""

import subprocess

import pytest


@pytest.fixture
def psql(box):
    """A function that runs psql on a script and gives the finished process."""

    def run(script: str, *arguments: str, database: str = "lake", user: str | None = None, password: str | None = None):
        environment = {"PATH": "/usr/bin:/bin", "PGPASSWORD": password or box.password, "PGCONNECT_TIMEOUT": "10"}
        return subprocess.run(
            ["psql", "-X", "-h", box.host, "-p", str(box.sql_port), "-U", user or box.user, "-d", database, *arguments],
            input=script, capture_output=True, text=True, env=environment, timeout=240)

    return run


@pytest.fixture
def table(psql):
    name = "psql_fruit"
    assert psql(f"CREATE TABLE {name} (id int, name text, price numeric(8,2), picked timestamptz)").returncode == 0
    yield name
    psql(f"DROP TABLE {name}")


def test_select_prints_as_with_postgresql(psql, table):
    script = f"""
        INSERT INTO {table} VALUES (1, 'apple', 1.5, '2024-02-29 12:00:00+00'), (2, NULL, -0.25, NULL);
        SELECT * FROM {table} ORDER BY id;
    """
    result = psql(script)
    assert result.stderr == ""
    assert result.stdout == (
        "INSERT 0 2\n"
        " id | name  | price |         picked         \n"
        "----+-------+-------+------------------------\n"
        "  1 | apple |  1.50 | 2024-02-29 12:00:00+00\n"
        "  2 |       | -0.25 | \n"
        "(2 rows)\n\n")


def test_tags(psql):
    script = """
        CREATE SCHEMA psql_tags; CREATE TABLE psql_tags.t (i int); INSERT INTO psql_tags.t VALUES (1), (2);
        UPDATE psql_tags.t SET i = 3 WHERE i = 1; DELETE FROM psql_tags.t; CREATE VIEW psql_tags.v AS SELECT 1 AS one;
        ALTER TABLE psql_tags.t ADD COLUMN j int; DROP VIEW psql_tags.v; DROP TABLE psql_tags.t; DROP SCHEMA psql_tags;
    """
    assert psql(script).stdout.splitlines() == [
        "CREATE SCHEMA", "CREATE TABLE", "INSERT 0 2", "UPDATE 1", "DELETE 2", "CREATE VIEW", "ALTER TABLE", "DROP VIEW",
        "DROP TABLE", "DROP SCHEMA"]


def test_database_may_be_named_as_the_catalogs(psql, box):
    assert psql("SELECT 1", "-At", database=box.database).stdout == "1\n"


def test_unknown_database(psql, box):
    box.expect("unknown database")
    result = psql("SELECT 1", database="nowhere")
    assert result.returncode == 2
    assert 'database "nowhere" does not exist' in result.stderr


@pytest.mark.parametrize("user", ["admin", "nobody_here"])
def test_wrong_password(psql, box, user):
    box.expect("refused: wrong password")
    result = psql("SELECT 1", user=user, password="not it")
    assert result.returncode == 2
    assert f'password authentication failed for user "{user}"' in result.stderr
    assert "not it" not in box.log()


def test_a_reader_reads(psql, box):
    import psycopg

    with psycopg.connect(box.dsn, autocommit=True) as catalog:
        catalog.execute("CREATE ROLE psql_reader LOGIN PASSWORD 'reader-s3cret' IN ROLE lake_reader")
        try:
            assert psql("SELECT 1", user="psql_reader", password="reader-s3cret").returncode == 0
            refused = psql("CREATE TABLE of_psql_reader (i int)", user="psql_reader", password="reader-s3cret")
            assert "permission denied for schema public" in refused.stderr
        finally:
            catalog.execute("DROP ROLE psql_reader")


def test_error_points_into_the_statement(psql):
    result = psql("SELECT 'ä', nothing FROM (SELECT 1 AS one) AS t;")
    assert "ERROR:" in result.stderr
    assert 'column "nothing"' in result.stderr.lower()
    line, caret = [part for part in result.stderr.splitlines() if part.startswith("LINE 1") or part.strip() == "^"]
    assert line[caret.index("^"):].startswith("nothing")


def test_a_script_of_one_message_is_one_transaction(psql, table):
    result = psql("", "-c", f"INSERT INTO {table} (id) VALUES (1); SELECT 1/'x'::int")
    assert result.returncode == 1
    assert psql(f"SELECT count(*) FROM {table}", "-At").stdout == "0\n"


def test_failed_block_refuses_statements(psql, table):
    result = psql(f"BEGIN; INSERT INTO {table} (id) VALUES (1);\n\\echo :ERROR\nSELECT nothing;\nSELECT 1;\nCOMMIT;\nSELECT 'after';")
    assert "current transaction is aborted" in result.stderr
    assert "ROLLBACK" in result.stdout.splitlines()
    assert psql(f"SELECT count(*) FROM {table}", "-At").stdout == "0\n"


def test_transaction_commits_and_rolls_back(psql, table):
    psql(f"BEGIN;\nINSERT INTO {table} (id) VALUES (1);\nROLLBACK;\nBEGIN;\nINSERT INTO {table} (id) VALUES (2);\nCOMMIT;")
    assert psql(f"SELECT id FROM {table}", "-At").stdout == "2\n"


def test_settings(psql):
    result = psql("SET application_name = 'me';\nSHOW application_name;\nSET statement_timeout TO '5s';\n"
                  "SHOW server_version_num;\nRESET ALL;\nSHOW application_name;", "-At")
    assert result.stderr == ""
    assert result.stdout.splitlines() == ["SET", "me", "SET", "150000", "RESET", "psql"]


def test_unknown_setting(psql):
    assert 'unrecognized configuration parameter "no_such"' in psql("SET no_such = 1").stderr


def test_nothing_is_read_from_or_written_to_files(psql):
    for statement in ("SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "COPY (SELECT 1) TO '/tmp/x.csv'",
                      "ATTACH '/tmp/x.db'", "INSTALL httpfs", "LOAD httpfs", "SELECT * FROM glob('/etc/*')",
                      "CREATE SECRET s (TYPE s3)", "PRAGMA enable_profiling", "SET memory_limit = '1GB'",
                      "SELECT * FROM duckdb_secrets()", "CREATE TABLE memory.main.t (i int)",
                      "SELECT * FROM __ducklake_metadata_lake.public.ducklake_snapshot",
                      "SELECT * FROM postgres_query('__ducklake_metadata_lake', 'SELECT 1')",
                      "CALL postgres_execute('__ducklake_metadata_lake', 'SELECT 1')",
                      "DROP TABLE __ducklake_metadata_lake.public.ducklake_snapshot"):
        result = psql(statement, "-v", "VERBOSITY=verbose")
        assert "ERROR:" in result.stderr, statement
        assert any(state in result.stderr for state in ("42501", "42704", "42601", "42P01", "58030")), result.stderr
