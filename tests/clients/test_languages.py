"""The page's clients, one after the other, against a lake on a local data path."""

import runners
from markdown_page import for_box

CUSTOMERS = "1: Alice (alice@example.org)\n2: Bob (bob@example.com)\n"


def test_python_installs(page, duckdb_home):
    runners.shell(page.block("Python", "bash"), duckdb_home)


def test_python(lake):
    assert lake.python_output == ("(1, 'Alice', 'alice@example.com')\n(2, 'Bob', 'bob@example.com')\n"
                                  "alice@example.com became alice@example.org\n")


def test_connection_string(lake, page, duckdb_home):
    string = for_box(page.block("The connection string", "text").strip(), lake)
    output = runners.duckdb_cli(f"LOAD ducklake; ATTACH '{string}' AS lake; FROM lake.customers;", duckdb_home)
    assert "alice@example.org" in output


def test_duckdb_cli(lake, page, duckdb_home):
    output = runners.duckdb_cli(for_box(page.block("DuckDB CLI", "sql"), lake), duckdb_home,
                                command=page.block("DuckDB CLI", "bash").strip())
    customers, snapshots = output.split("snapshot_id,snapshot_time,changes\n")
    assert "1,Alice,alice@example.org," in customers and "2,Bob,bob@example.com," in customers
    assert "tables_created" in snapshots


def test_go(lake, page, duckdb_home, go):
    output = go.run(page.block("Go", "bash"), for_box(page.block("Go", "go"), lake), duckdb_home)
    assert output == CUSTOMERS


def test_go_with_the_former_driver(lake, page, duckdb_home, duckdb_prefix, go):
    program = for_box(page.block("Go", "go"), lake).replace("duckdb/duckdb-go/v2", "marcboeker/go-duckdb")
    output = go.run("go get github.com/marcboeker/go-duckdb@v1.8.5", program, duckdb_home, build=page.block("Go", "bash", 1),
                    DUCKDB_LIB=str(duckdb_prefix / "lib"))
    assert output == CUSTOMERS


def test_psql(lake, page, duckdb_home):
    section = "psql, and everything else that speaks to PostgreSQL"
    command = f"{for_box(page.block(section, 'bash').strip(), lake)} --no-psqlrc --csv --set ON_ERROR_STOP=1"
    output = runners.shell(command, duckdb_home, stdin=page.block(section, "sql"))
    assert "1,Alice,alice@example.org\n2,Bob,bob@example.com\n" in output
    assert output.endswith("name,count\nAlice,2\nBob,1\n")


def test_java(lake, page, duckdb_home, java):
    output = java.run(page.block("Java", "xml"), for_box(page.block("Java", "java"), lake), duckdb_home)
    assert output == CUSTOMERS


# What an SQL tool does on top of its JDBC driver: start-up statements, then the driver's metadata.
BROWSER = """
import java.sql.*;

public class Browser {
    public static void main(String[] arguments) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
             Statement statement = connection.createStatement()) {
            for (String startup : arguments[0].split(";")) {
                if (!startup.isBlank()) statement.execute(startup);
            }
            try (ResultSet columns = connection.getMetaData().getColumns("lake", "main", "customers", "%")) {
                while (columns.next()) System.out.println(columns.getString("COLUMN_NAME"));
            }
        }
    }
}
"""


def test_jdbc_tools(lake, page, duckdb_home, java):
    output = java.run(page.block("Java", "xml"), BROWSER, duckdb_home,
                      for_box(page.block("DataGrip and DBeaver", "sql"), lake))
    assert output.split() == ["id", "name", "email", "created_at"]


def test_node(lake, page, duckdb_home, node):
    output = node.run(page.block("Node.js", "bash"), for_box(page.block("Node.js", "javascript"), lake), duckdb_home)
    assert output == CUSTOMERS


def test_jupyter_installs(page, duckdb_home):
    runners.shell(page.block("Jupyter", "bash"), duckdb_home)


def test_jupyter(lake, page, fresh_home):
    output = runners.notebook(for_box(page.block("Jupyter", "python"), lake), fresh_home)
    assert "alice@example.org" in output
