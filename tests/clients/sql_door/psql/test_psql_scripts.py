"""psql's own commands in scripts: variables, \\gset, \\gdesc, \\g, \\watch, \\copy, one transaction, stopping at errors."""

import subprocess

import pytest


@pytest.fixture
def psql(door):
    def run(script: str, *arguments: str):
        return subprocess.run(
            ["psql", "-X", "-At", "-h", door["host"], "-p", str(door["port"]), "-U", door["user"], "-d", door["dbname"], *arguments],
            input=script, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "PGPASSWORD": door["password"]}, timeout=240)

    return run


def test_variables(psql):
    script = """
        \\set who 'O''Hara'
        SELECT :'who', :number + 1, 1 AS ":who";
        SELECT 6 * 7 AS answer, NULL AS nothing \\gset got_
        \\echo :got_answer
        SELECT :got_answer + 0;
    """
    result = psql(script, "-v", "number=41")
    assert result.stderr == ""
    assert result.stdout.splitlines() == ["O'Hara|42|1", "42", "42"]


def test_conditions_and_status(psql):
    script = """
        SELECT 1 AS one;
        \\if :ERROR
          \\echo failed
        \\else
          \\echo :ROW_COUNT row
        \\endif
        SELECT nothing;
        \\echo :ERROR :SQLSTATE :LAST_ERROR_MESSAGE
    """
    lines = psql(script).stdout.splitlines()
    assert lines[:2] == ["1", "1 row"]
    assert lines[2].startswith("true 42703 ")


def test_gdesc(psql):
    result = psql("SELECT 1 AS id, 'x' AS name, 1.50::numeric(10,2) AS price, now() AS seen, ARRAY[1] AS numbers \\gdesc")
    assert result.stdout.splitlines() == ["id|integer", "name|text", "price|numeric(10,2)", "seen|timestamp with time zone",
                                          "numbers|integer[]"], result.stderr


def test_g_and_crosstab(psql, tmp_path):
    script = f"""
        SELECT i, i * i FROM range(3) AS t(i) ORDER BY i \\g {tmp_path}/out
        SELECT 'a' AS x, 'b' AS y, 1 AS v \\crosstabview
        SELECT format('SELECT %s', i) FROM range(2) AS t(i) ORDER BY i \\gexec
    """
    result = psql(script)
    assert result.stderr == ""
    assert (tmp_path / "out").read_text() == "0|0\n1|1\n2|4\n"
    assert result.stdout.splitlines() == ["a|1", "0", "1"]


def test_watch_repeats_until_an_error(psql):
    # Each round takes one from a number that psql does not know: the third divides by zero in a cast.
    result = psql("CREATE TEMP TABLE rounds AS SELECT 3 AS left_over;\n"
                  "WITH t AS (SELECT left_over FROM rounds) SELECT ('0' || left_over)::int FROM t \\; "
                  "UPDATE rounds SET left_over = left_over - 1 \\; SELECT CASE WHEN left_over = 0 THEN 'x' ELSE '1' END::int "
                  "FROM rounds \\watch 0.01\n", "-q")
    assert "x" in result.stderr
    assert result.stdout.count("3") >= 1


def test_one_transaction_and_on_error_stop(psql, new_table):
    new_table("psql_ledger", "id int")
    script = "INSERT INTO psql_ledger VALUES (1);\nINSERT INTO psql_ledger VALUES ('x');\nINSERT INTO psql_ledger VALUES (3);\n"
    result = psql(script, "-1", "-v", "ON_ERROR_STOP=1", "-f", "-")
    assert result.returncode == 3
    assert psql("SELECT count(*) FROM psql_ledger").stdout == "0\n"
    assert psql(script, "-v", "ON_ERROR_STOP=0").returncode == 0
    assert psql("SELECT id FROM psql_ledger ORDER BY id").stdout == "1\n3\n"


def test_copies(psql, new_table, tmp_path):
    new_table("psql_copied", "id int, name text")
    (tmp_path / "in.tsv").write_text("1\tone\n2\t\\N\n")
    script = f"""
        \\copy psql_copied from '{tmp_path}/in.tsv'
        \\copy (select * from psql_copied order by id) to '{tmp_path}/out.csv' csv header
        \\copy psql_copied from stdin csv
3,three
\\.
        SELECT count(*) FROM psql_copied;
    """
    result = psql(script)
    assert result.stderr == ""
    assert result.stdout.splitlines() == ["COPY 2", "COPY 2", "COPY 1", "3"]
    assert (tmp_path / "out.csv").read_text() == "id,name\n1,one\n2,\n"


def test_fetch_count_reads_in_portions(psql):
    result = psql("\\set FETCH_COUNT 1000\nSELECT i FROM range(5000) AS t(i) ORDER BY i;\n")
    assert result.stderr == ""
    assert result.stdout.split() == [str(number) for number in range(5000)]
