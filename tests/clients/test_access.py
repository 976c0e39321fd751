"""What the page says beyond the first query: users and roles, TLS, extensions without the internet, every block run."""

import psycopg
import pytest
import runners
from markdown_page import for_box


def as_analyst(text: str, box) -> str:
    return for_box(text, box, user="analyst", password="their-password")


@pytest.fixture(scope="module")
def analyst(lake, page):
    """The page's reader exists."""
    with psycopg.connect(lake.dsn, autocommit=True) as connection:
        connection.execute(page.block("Users and what they may do", "sql", 0))
    return as_analyst(page.block("Users and what they may do", "sql", 1), lake)


def test_a_reader_reads(lake, analyst, duckdb_home):
    output = runners.duckdb_cli(f"LOAD ducklake; {analyst} SELECT email FROM lake.customers WHERE id = 1;", duckdb_home)
    assert output.splitlines()[-1] == "alice@example.org"


def test_a_writer_added_on_the_box_writes(lake, page, boathouse, duckdb_home):
    command = page.block("Users and what they may do", "bash").strip().replace("boathouse", str(boathouse))
    password = runners.shell(f"{command} --data-dir {lake.data_dir}", duckdb_home).strip()
    string = for_box(page.block("The connection string", "text").strip(), lake, user="loader", password=password)
    output = runners.duckdb_cli(f"LOAD ducklake; ATTACH '{string}' AS lake; CREATE TABLE lake.loaded AS SELECT 42 AS answer;"
                                "FROM lake.loaded;", duckdb_home)
    assert output.splitlines()[-1] == "42"


@pytest.mark.parametrize("statement", ["INSERT INTO lake.customers VALUES (3, 'Eve', 'eve@example.com', now())",
                                       "DELETE FROM lake.customers", "CREATE TABLE lake.eves (id INTEGER)",
                                       "DROP TABLE lake.customers"])
def test_a_reader_does_not_write(lake, analyst, duckdb_home, statement):
    writable = analyst.replace(" (READ_ONLY)", "")
    with pytest.raises(AssertionError, match="permission denied"):
        runners.duckdb_cli(f"LOAD ducklake; {writable} {statement};", duckdb_home)


def test_a_reader_reads_tables_made_later(lake, analyst, page, duckdb_home):
    owner = for_box(page.block("The connection string", "text").strip(), lake)
    runners.duckdb_cli(f"LOAD ducklake; ATTACH '{owner}' AS lake; CREATE TABLE lake.later (id INTEGER);"
                       "INSERT INTO lake.later VALUES (7);", duckdb_home)
    output = runners.duckdb_cli(f"LOAD ducklake; {analyst} SELECT id FROM lake.later;", duckdb_home)
    assert output.splitlines()[-1] == "7"


def test_tls_required(lake, page, duckdb_home):
    string = for_box(page.block("Encryption on the way", "text", 0).strip(), lake)
    encrypted = ("SELECT * FROM postgres_query('catalog', 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')")
    output = runners.duckdb_cli(
        f"LOAD ducklake; ATTACH '{string}' AS lake; FROM lake.customers; "
        f"ATTACH '{string.removeprefix('ducklake:postgres:')}' AS catalog (TYPE postgres); {encrypted};", duckdb_home)
    assert output.splitlines()[-1] == "true"


def test_tls_verified(lake, page, duckdb_home, tmp_path):
    string = for_box(page.block("Encryption on the way", "text", 1).strip(), lake)
    (tmp_path / "box.crt").write_bytes((lake.data_dir / "tls" / "self-signed.crt").read_bytes())
    good = string.replace("box.crt", str(tmp_path / "box.crt"))
    output = runners.duckdb_cli(f"LOAD ducklake; ATTACH '{good}' AS lake; SELECT 'in';", duckdb_home)
    assert output.splitlines()[-1] == "in"


def test_tls_verified_against_another_certificate(lake, page, duckdb_home, tmp_path):
    other = tmp_path / "box.crt"
    runners.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", "-out", other,
                 "-subj", "/CN=another", "-days", "2"], duckdb_home)
    string = for_box(page.block("Encryption on the way", "text", 1).strip(), lake).replace("box.crt", str(other))
    with pytest.raises(AssertionError, match="certificate verify failed"):
        runners.duckdb_cli(f"LOAD ducklake; ATTACH '{string}' AS lake;", duckdb_home)


def test_extensions_from_the_box(lake, page, empty_home):
    install = for_box(page.block("Without the internet", "sql"), lake)
    string = for_box(page.block("The connection string", "text").strip(), lake)
    output = runners.duckdb_cli(f"SET autoinstall_known_extensions = false; {install} ATTACH '{string}' AS lake; "
                                "SELECT email FROM lake.customers WHERE id = 1;", empty_home)
    assert output.splitlines()[-1] == "alice@example.org"


def test_settings_for_many_writers(lake, page, duckdb_home):
    output = runners.duckdb_cli(f"LOAD ducklake; {page.block('Many writers', 'sql')} "
                                "SELECT current_setting('ducklake_max_retry_count');", duckdb_home)
    assert output.splitlines()[-1] == "100"


def test_every_block_is_run(page):
    """The blocks that the tests of this folder run. A new one on the page belongs here, with a test that runs it."""
    assert {(block.section, block.language, block.number) for block in page.blocks} == {
        ("The connection string", "text", 0),
        ("Python", "bash", 0), ("Python", "python", 0),
        ("DuckDB CLI", "bash", 0), ("DuckDB CLI", "sql", 0),
        ("Go", "bash", 0), ("Go", "go", 0), ("Go", "bash", 1),
        ("psql, and everything else that speaks to PostgreSQL", "bash", 0),
        ("psql, and everything else that speaks to PostgreSQL", "sql", 0),
        ("Java", "xml", 0), ("Java", "java", 0),
        ("Node.js", "bash", 0), ("Node.js", "javascript", 0),
        ("Jupyter", "bash", 0), ("Jupyter", "python", 0),
        ("DataGrip and DBeaver", "sql", 0),
        ("Threads and pools", "python", 0),
        ("Many writers", "sql", 0),
        ("A lake in S3", "sql", 0), ("A lake in S3", "sql", 1),
        ("Users and what they may do", "bash", 0),
        ("Users and what they may do", "sql", 0), ("Users and what they may do", "sql", 1),
        ("Encryption on the way", "text", 0), ("Encryption on the way", "text", 1),
        ("Without the internet", "sql", 0)}
