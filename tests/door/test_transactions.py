"""Transaction status in every case, and what BEGIN, COMMIT, ROLLBACK, SET and READ ONLY mean."""

import pytest
from wire import SYNC, bind, describe, execute, fields, parse


def notices(messages) -> list[tuple[str, str]]:
    return [(fields(body)["S"], fields(body)["C"]) for kind, body in messages if kind == "N"]


def test_status_of_a_block(door, table):
    assert door.status("BEGIN") == "T"
    assert door.status(f"INSERT INTO {table} VALUES (1, 'a')") == "T"
    assert door.status("SELECT nothing") == "E"
    assert door.error("SELECT 1")["C"] == "25P02"
    assert door.error("SET application_name = 'x'")["C"] == "25P02"
    assert door.error("FETCH c")["C"] == "25P02"
    assert door.status("SELECT 1") == "E"
    assert door.tags("COMMIT") == ["ROLLBACK"]
    assert door.rows(f"SELECT count(*) FROM {table}") == [["0"]]


def test_status_after_errors_of_every_kind(door):
    for wrong in ["SELEC", "SELECT nothing", "SELECT 'x'::int", "SHOW nothing", "SET client_encoding = 'LATIN1'",
                  "EXECUTE nothing", "CLOSE nothing", "SAVEPOINT a", "COMMIT AND CHAIN"]:
        assert door.status(wrong) == "I", wrong
        if wrong != "COMMIT AND CHAIN":
            door.run("BEGIN")
            assert door.status(wrong) == ("E" if wrong != "SAVEPOINT a" else "T"), wrong
            assert door.status("ROLLBACK") == "I"


def test_warnings_outside_and_inside_blocks(door):
    for statement in ["COMMIT", "ROLLBACK", "END", "ABORT"]:
        messages = door.run(statement)
        assert notices(messages) == [("WARNING", "25P01")]
        assert messages[-1] == ("Z", b"I")
    door.run("BEGIN")
    assert notices(door.run("BEGIN")) == [("WARNING", "25001")]
    door.run("ROLLBACK")
    assert notices(door.run("SET LOCAL statement_timeout = 5")) == [("WARNING", "25P01")]
    assert notices(door.run("SET TRANSACTION READ ONLY")) == [("WARNING", "25P01")]


def test_a_script_is_one_transaction(door, table):
    messages = door.run(f"INSERT INTO {table} VALUES (1, 'a'); SELECT nothing; SELECT 1")
    assert [kind for kind, _ in messages] == ["C", "E", "Z"]
    assert door.rows(f"SELECT count(*) FROM {table}") == [["0"]]
    door.run(f"INSERT INTO {table} VALUES (1, 'a'); COMMIT; INSERT INTO {table} VALUES (2, 'b'); SELECT nothing")
    assert door.rows(f"SELECT id FROM {table}") == [["1"]]


def test_a_script_may_begin_and_end_blocks(door, table):
    assert door.status(f"INSERT INTO {table} VALUES (1, 'a'); BEGIN; INSERT INTO {table} VALUES (2, 'b')") == "T"
    assert door.status("ROLLBACK") == "I"
    assert door.rows(f"SELECT count(*) FROM {table}") == [["0"]]
    assert door.tags("BEGIN; SELECT 1; COMMIT") == ["BEGIN", "SELECT 1", "COMMIT"]


def test_empty_queries(door):
    assert [kind for kind, _ in door.run("")] == ["I", "Z"]
    assert [kind for kind, _ in door.run(" ; -- nothing\n")] == ["I", "Z"]


def test_errors_skip_to_sync(door, table):
    door.send(parse(f"INSERT INTO {table} VALUES (1, 'a')"), bind(), execute(), parse("SELECT nothing"), bind(), execute(),
              parse("SELECT 1"), SYNC, parse("SELECT 2"), bind(), execute(), SYNC)
    first, second = door.until("Z"), door.until("Z")
    assert [kind for kind, _ in first] == ["1", "2", "C", "E", "Z"]
    assert [kind for kind, _ in second] == ["1", "2", "D", "C", "Z"]
    assert door.rows(f"SELECT count(*) FROM {table}") == [["0"]]


def test_portals_suspend_and_end_with_their_transaction(door):
    door.run("BEGIN")
    door.send(parse("SELECT * FROM range(5) AS t(i)"), bind("p"), execute("p", 2), execute("p", 2), execute("p", 2), SYNC)
    assert [kind for kind, _ in door.until("Z")] == ["1", "2", "D", "D", "s", "D", "D", "s", "D", "C", "Z"]
    door.run("COMMIT")
    door.send(execute("p"), SYNC)
    assert fields(next(body for kind, body in door.until("Z") if kind == "E"))["C"] == "34000"


def test_a_portal_that_has_run_does_not_run_again(door, table):
    door.send(parse(f"INSERT INTO {table} VALUES (1, 'a')"), bind("p"), execute("p"), execute("p"), SYNC)
    messages = door.until("Z")
    assert [kind for kind, _ in messages] == ["1", "2", "C", "E", "Z"]
    assert fields(messages[3][1])["C"] == "55000"


def test_and_chain_keeps_the_characteristics(door):
    door.run("BEGIN READ ONLY")
    assert door.status("COMMIT AND CHAIN") == "T"
    assert door.rows("SHOW transaction_read_only") == [["on"]]
    assert door.status("ROLLBACK AND CHAIN") == "T"
    assert door.rows("SHOW transaction_read_only") == [["on"]]
    door.run("COMMIT")
    assert door.rows("SHOW transaction_read_only") == [["off"]]


WRITES = ["INSERT INTO {0} VALUES (1, 'a')", "UPDATE {0} SET id = 2", "DELETE FROM {0}", "CREATE TABLE {0}_more (id int)",
          "DROP TABLE {0}", "ALTER TABLE {0} ADD COLUMN more int", "CREATE VIEW {0}_view AS SELECT 1",
          "COPY {0} FROM STDIN", "CALL ducklake_set_option('lake', 'parquet_compression', 'zstd')", "CHECKPOINT lake",
          "CREATE SCHEMA {0}_schema", "MERGE INTO {0} USING {0} AS s ON s.id = {0}.id WHEN MATCHED THEN DELETE",
          "WITH x AS (SELECT 1) INSERT INTO {0} SELECT 1, 'b'"]


@pytest.mark.parametrize("statement", WRITES)
def test_read_only_transactions_refuse_writes(door, table, statement):
    door.run("BEGIN READ ONLY")
    assert door.error(statement.format(table))["C"] == "25006"
    assert door.status("SELECT 1") == "E"
    door.run("ROLLBACK")


def test_read_only_in_all_its_ways(door, table):
    write = f"INSERT INTO {table} VALUES (1, 'a')"
    door.run("SET default_transaction_read_only = on")
    assert door.error(write)["C"] == "25006"
    assert door.tags(f"BEGIN READ WRITE; {write}; COMMIT") == ["BEGIN", "INSERT 0 1", "COMMIT"]
    door.run("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
    assert door.rows("SHOW default_transaction_read_only") == [["off"]]
    assert door.tags(write) == ["INSERT 0 1"]
    door.run("BEGIN; SET TRANSACTION READ ONLY")
    assert door.rows(f"SELECT count(*) FROM {table}") == [["2"]]
    assert door.error(write)["C"] == "25006"
    door.run("ROLLBACK")
    door.send(parse(write, "w"), SYNC)
    door.until("Z")
    door.run("BEGIN READ ONLY")
    door.send(bind("", "w"), execute(), SYNC)
    assert fields(next(body for kind, body in door.until("Z") if kind == "E"))["C"] == "25006"
    door.run("ROLLBACK")


def test_read_only_transactions_may_have_temporary_tables(door):
    assert door.tags("BEGIN READ ONLY; CREATE TEMP TABLE scratch (i int); INSERT INTO scratch VALUES (1); COMMIT") == [
        "BEGIN", "CREATE TABLE", "INSERT 0 1", "COMMIT"]


def test_prepared_statement_is_planned_again(door, table):
    door.send(parse(f"SELECT name FROM {table} WHERE id = $1", "s", (23,)), describe("S", "s"), SYNC)
    door.until("Z")
    door.run(f"ALTER TABLE {table} ADD COLUMN more int; INSERT INTO {table} VALUES (1, 'a', 3)")
    door.send(bind("", "s", (1,)), execute(), SYNC)
    assert [kind for kind, _ in door.until("Z")] == ["2", "D", "C", "Z"]


def test_prepared_statement_whose_columns_changed(door, table):
    door.send(parse(f"SELECT * FROM {table}", "s"), describe("S", "s"), SYNC)
    door.until("Z")
    door.run(f"ALTER TABLE {table} ADD COLUMN more int")
    door.send(bind("", "s"), execute(), SYNC)
    error = fields(next(body for kind, body in door.until("Z") if kind == "E"))
    assert (error["C"], error["M"]) == ("0A000", "cached plan must not change result type")
    door.send(bind("", "s"), SYNC)
    door.until("Z")
    door.run(f"ALTER TABLE {table} DROP COLUMN more")
    door.send(bind("", "s"), execute(), SYNC)
    assert [kind for kind, _ in door.until("Z")] == ["2", "C", "Z"]
