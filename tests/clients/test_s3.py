"""The page's Python and CLI blocks on a lake in a real S3 server; the client's secret is the page's too."""

import pytest
import runners
from markdown_page import for_box


def test_python(lake_s3, s3):
    assert lake_s3.python_output == ("(1, 'Alice', 'alice@example.com')\n(2, 'Bob', 'bob@example.com')\n"
                                     "alice@example.com became alice@example.org\n")


def test_duckdb_cli(lake_s3, page):
    output = runners.duckdb_cli(for_box(page.block("DuckDB CLI", "sql"), lake_s3), lake_s3.client_home)
    assert "1,Alice,alice@example.org," in output


def test_files_lie_in_the_bucket(lake_s3, page, s3):
    attach = for_box(page.block("The connection string", "text").strip(), lake_s3)
    runners.duckdb_cli(f"LOAD ducklake; ATTACH '{attach}' AS lake; CREATE TABLE lake.stored AS FROM range(1000);",
                       lake_s3.client_home)
    stored = [key for key in s3.keys("clients/main/stored/") if key.endswith(".parquet")]
    assert stored
    output = runners.duckdb_cli(f"LOAD ducklake; ATTACH '{attach}' AS lake; SELECT sum(range) FROM lake.stored;",
                                lake_s3.client_home)
    assert output.splitlines()[-1] == "499500"


def test_a_client_without_a_secret_is_told_so(lake_s3, page, duckdb_home):
    attach = for_box(page.block("The connection string", "text").strip(), lake_s3)
    with pytest.raises(AssertionError, match=r"HTTP|IO Error"):
        runners.duckdb_cli(f"LOAD ducklake; ATTACH '{attach}' AS lake; CREATE TABLE lake.unreachable AS FROM range(1000);",
                           duckdb_home)
