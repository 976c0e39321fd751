"""Cursors, PREPARE and EXECUTE, savepoints, settings: statements that the session answers itself."""

import pytest
from wire import SYNC, Wire, bind, describe, execute, fields, parse, row


def answers(door, *messages) -> list[tuple[str, bytes]]:
    door.send(*messages, SYNC)
    return door.until("Z")


# ------------------------------------------------------------------------------------------------------- cursors


def test_fetch_and_move(door):
    door.run("BEGIN; DECLARE c NO SCROLL CURSOR FOR SELECT i FROM range(20) AS t(i)")
    assert door.rows("FETCH c") == [["0"]]
    assert door.rows("FETCH 2 FROM c") == [["1"], ["2"]]
    assert door.rows("FETCH FORWARD 1 IN c") == [["3"]]
    assert door.tags("MOVE 3 FROM c") == ["MOVE 3"]
    assert door.rows("FETCH NEXT FROM c") == [["7"]]
    assert door.rows("FETCH RELATIVE 2 FROM c") == [["9"]]
    assert door.rows("FETCH ABSOLUTE 12 FROM c") == [["11"]]
    assert door.tags("FETCH ALL FROM c") == ["FETCH 8"]
    assert door.tags("FETCH c; MOVE ALL FROM c") == ["FETCH 0", "MOVE 0"]
    assert door.tags("CLOSE c") == ["CLOSE CURSOR"]
    assert door.error("FETCH c")["C"] == "34000"


@pytest.mark.parametrize("step", ["FETCH PRIOR FROM c", "FETCH BACKWARD 2 FROM c", "FETCH FIRST FROM c", "FETCH LAST FROM c",
                                  "FETCH 0 FROM c", "MOVE -1 FROM c", "FETCH ABSOLUTE 1 FROM c"])
def test_cursors_go_forward_only(door, step):
    door.run("BEGIN; DECLARE c CURSOR FOR SELECT i FROM range(20) AS t(i); FETCH 5 FROM c")
    error = door.error(step)
    assert error["C"] == "55000" and error["M"] == "cursor can only scan forward"


def test_cursor_errors(door):
    assert door.error("DECLARE c CURSOR FOR SELECT 1")["C"] == "25P01"
    for statement, sqlstate in [("DECLARE c SCROLL CURSOR FOR SELECT 1", "0A000"), ("DECLARE c CURSOR FOR SELEC 1", "42601"),
                                ("DECLARE c CURSOR FOR CREATE TABLE x (i int)", "42601"),
                                ("DECLARE c CURSOR FOR SELECT 1; DECLARE c CURSOR FOR SELECT 1", "42P03"),
                                ("CLOSE c", "34000"), ("FETCH c", "34000")]:
        door.run("BEGIN")
        assert door.error(statement)["C"] == sqlstate, statement
        door.run("ROLLBACK")


def test_an_error_in_a_cursors_query_points_into_the_statement(door):
    door.run("BEGIN")
    text = "DECLARE c CURSOR FOR SELECT nothing"
    assert text[int(door.error(text)["P"]) - 1:] == "nothing"


def test_statements_beside_an_open_cursor(door, table):
    door.run("BEGIN; DECLARE c CURSOR FOR SELECT i FROM range(100000) AS t(i)")
    assert door.rows("FETCH 1 FROM c") == [["0"]]
    door.run(f"INSERT INTO {table} VALUES (1, 'a')")
    assert door.rows(f"SELECT count(*) FROM {table}") == [["1"]]
    assert door.rows("FETCH 2 FROM c") == [["1"], ["2"]]
    assert door.tags("MOVE ALL FROM c") == ["MOVE 99997"]
    assert door.tags("COMMIT") == ["COMMIT"]


def test_cursors_end_with_their_transaction_unless_held(door):
    door.run("BEGIN; DECLARE a CURSOR FOR SELECT 1; DECLARE b CURSOR WITH HOLD FOR SELECT i FROM range(5000) AS t(i);"
             " FETCH 2 FROM b; COMMIT")
    assert door.error("FETCH a")["C"] == "34000"
    assert door.rows("FETCH 2 FROM b") == [["2"], ["3"]]
    door.run("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; ROLLBACK")
    assert door.error("FETCH c")["C"] == "34000"
    assert door.tags("MOVE ALL FROM b; CLOSE ALL") == ["MOVE 4996", "CLOSE CURSOR ALL"]
    assert door.error("FETCH b")["C"] == "34000"


def test_held_cursor_outside_a_block(door):
    assert door.tags("DECLARE c CURSOR WITH HOLD FOR SELECT i FROM range(3) AS t(i)") == ["DECLARE CURSOR"]
    assert door.rows("FETCH ALL FROM c") == [["0"], ["1"], ["2"]]


def test_cursors_and_portals_share_their_names(door):
    """As psycopg's server-side cursors use them: DECLARE with parameters, Describe of the portal, FETCH in binary."""
    door.run("BEGIN")
    kinds = [kind for kind, _ in answers(door, parse("DECLARE c CURSOR FOR SELECT $1::int + i FROM range(3) AS t(i)"),
                                         bind("", "", (40,)), execute())]
    assert kinds == ["1", "2", "C", "Z"]
    assert [kind for kind, _ in answers(door, describe("P", "c"))] == ["T", "Z"]
    messages = answers(door, parse("FETCH 2 FROM c"), describe("S"), bind(binary=True), execute())
    assert [kind for kind, _ in messages] == ["1", "t", "T", "2", "D", "D", "C", "Z"]
    assert messages[4][1][-4:] == (40).to_bytes(4, "big") or messages[4][1][-8:] == (40).to_bytes(8, "big")
    assert row(answers(door, execute("c", 1))[0][1]) == ["42"]


# --------------------------------------------------------------------------------------------- PREPARE and EXECUTE


def test_prepare_and_execute(door, table):
    assert door.tags(f"PREPARE ins (int, text) AS INSERT INTO {table} VALUES ($1, $2)") == ["PREPARE"]
    assert door.tags("EXECUTE ins(1 + 1, upper('two'))") == ["INSERT 0 1"]
    assert door.tags("EXECUTE ins(3, NULL)") == ["INSERT 0 1"]
    door.run(f"PREPARE sel AS SELECT id, name FROM {table} WHERE id >= $1 ORDER BY id")
    assert door.rows("EXECUTE sel(2)") == [["2", "TWO"], ["3", None]]
    assert door.tags("EXECUTE sel(3); DEALLOCATE sel") == ["SELECT 1", "DEALLOCATE"]
    assert door.error("EXECUTE sel(3)")["C"] == "26000"
    assert door.error("EXECUTE ins(1)")["C"] == "42601"
    assert door.error("EXECUTE ins(1, nothing)")["C"] == "42703"
    assert door.error("PREPARE ins AS SELECT 1")["C"] == "42P05"
    assert door.error("PREPARE x (no_such_type) AS SELECT $1")["C"] == "42704"
    assert door.error("PREPARE x AS COMMIT")["C"] == "42601"
    assert door.tags("DEALLOCATE ALL") == ["DEALLOCATE ALL"]


def test_the_protocol_executes_what_sql_prepared_and_the_other_way_round(door):
    door.run("PREPARE by_sql (int) AS SELECT $1 + 1 AS answer")
    messages = answers(door, describe("S", "by_sql"), bind("", "by_sql", (41,)), execute())
    assert [kind for kind, _ in messages] == ["t", "T", "2", "D", "C", "Z"]
    assert row(messages[3][1]) == ["42"]
    answers(door, parse("SELECT $1::int * 2", "by_protocol"))
    assert door.rows("EXECUTE by_protocol(21)") == [["42"]]
    messages = answers(door, parse("EXECUTE by_sql(1)"), describe("S"), bind(), execute())
    assert [kind for kind, _ in messages] == ["1", "t", "T", "2", "D", "C", "Z"]
    door.run("DEALLOCATE by_protocol")
    assert fields(answers(door, bind("", "by_protocol", (1,)))[0][1])["C"] == "26000"


# ------------------------------------------------------------------------------------------------------ savepoints


def test_savepoints_without_errors(door, table):
    assert door.tags(f"BEGIN; SAVEPOINT a; INSERT INTO {table} VALUES (1, 'a'); SAVEPOINT b; RELEASE b; RELEASE a; COMMIT") == [
        "BEGIN", "SAVEPOINT", "INSERT 0 1", "SAVEPOINT", "RELEASE", "RELEASE", "COMMIT"]
    assert door.rows(f"SELECT count(*) FROM {table}") == [["1"]]


@pytest.mark.parametrize("wrong", ["SELECT nothing", "SELECT * FROM no_such_table", "SELEC 1", "LOAD httpfs",
                                   "EXECUTE nothing"])
def test_errors_before_anything_ran_can_be_undone(door, table, wrong):
    """Whatever was written before the savepoint: parsing, binding and privileges leave DuckDB's transaction whole."""
    door.run(f"BEGIN; INSERT INTO {table} VALUES (1, 'a'); SAVEPOINT a; SET application_name = 'inside'")
    assert door.status(wrong) == "E"
    assert door.status("ROLLBACK TO a") == "T"
    assert door.rows("SHOW application_name") == [[""]]
    assert door.tags(f"INSERT INTO {table} VALUES (2, 'b'); COMMIT") == ["INSERT 0 1", "COMMIT"]
    assert door.rows(f"SELECT id FROM {table} ORDER BY id") == [["1"], ["2"]]


@pytest.mark.parametrize("wrong", ["SELECT 'x'::int", "SELECT 300::int2 * 300::int2", "SELECT error('no')"])
def test_errors_of_execution_can_be_undone_where_nothing_was_written(door, table, wrong):
    door.run("BEGIN; SAVEPOINT a")
    assert door.rows(f"SELECT count(*) FROM {table}") == [["0"]]
    assert door.status(wrong) == "E"
    assert door.status("ROLLBACK TO a") == "T"
    assert door.tags(f"INSERT INTO {table} VALUES (1, 'a'); COMMIT") == ["INSERT 0 1", "COMMIT"]


def test_what_was_written_cannot_be_undone_in_part(door, table):
    door.run(f"BEGIN; SAVEPOINT a; INSERT INTO {table} VALUES (1, 'a')")
    error = door.error("ROLLBACK TO a")
    assert error["C"] == "0A000" and "ROLLBACK" in error["H"]
    assert door.status("SELECT 1") == "E"
    door.run("ROLLBACK")
    door.run(f"BEGIN; INSERT INTO {table} VALUES (1, 'a'); SAVEPOINT a")
    assert door.status("SELECT 'x'::int") == "E"
    assert door.error("ROLLBACK TO a")["C"] == "0A000"
    assert door.tags("COMMIT") == ["ROLLBACK"]
    assert door.rows(f"SELECT count(*) FROM {table}") == [["0"]]


def test_a_transaction_is_not_begun_again_on_another_snapshot(door, wire, table):
    other = wire()
    for isolation, sqlstate in [("REPEATABLE READ", "40001"), ("READ COMMITTED", None)]:
        door.run(f"BEGIN ISOLATION LEVEL {isolation}; SAVEPOINT a")
        before = door.rows(f"SELECT count(*) FROM {table}")
        other.rows(f"INSERT INTO {table} VALUES (1, 'a')")
        assert door.status("SELECT 'x'::int") == "E"
        if sqlstate:
            assert door.error("ROLLBACK TO a")["C"] == sqlstate
        else:
            assert door.status("ROLLBACK TO a") == "T"
            assert door.rows(f"SELECT count(*) FROM {table}") != before
        door.run("ROLLBACK")


def test_savepoint_names(door):
    assert door.error("ROLLBACK TO a")["C"] == "25P01"
    assert door.error("RELEASE a")["C"] == "25P01"
    door.run("BEGIN; SAVEPOINT a; SAVEPOINT a; RELEASE a; ROLLBACK TO a")
    assert door.status("RELEASE a") == "T"
    assert door.error("ROLLBACK TO a")["C"] == "3B001"
    assert door.status("SELECT 1") == "E"


def test_rollback_to_closes_newer_cursors(door):
    door.run("BEGIN; DECLARE before CURSOR FOR SELECT 1; SAVEPOINT a; DECLARE after CURSOR FOR SELECT 2; ROLLBACK TO a")
    assert door.rows("FETCH before") == [["1"]]
    assert door.error("FETCH after")["C"] == "34000"


# -------------------------------------------------------------------------------------------------------- settings


def test_settings_come_back(door):
    door.run("SET application_name = 'one'")
    door.run("BEGIN; SET application_name = 'two'; ROLLBACK")
    assert door.rows("SHOW application_name") == [["one"]]
    door.run("BEGIN; SET LOCAL application_name = 'three'; COMMIT")
    assert door.rows("SHOW application_name") == [["one"]]
    door.run("BEGIN; SET application_name = 'four'; SET LOCAL application_name = 'five'; COMMIT")
    assert door.rows("SHOW application_name") == [["four"]]
    door.run("RESET application_name")
    assert door.rows("SHOW application_name") == [[""]]


def test_settings_in_select(door):
    """As asyncpg, pg_dump and ORMs call them."""
    assert door.rows("SELECT current_setting('jit') AS cur, set_config('jit', 'on', false) AS new") == [["off", "on"]]
    assert door.rows("SHOW jit") == [["on"]]
    assert door.rows("SELECT pg_catalog.set_config('search_path', '', false)") == [[""]]
    assert door.rows("SELECT current_setting('no.such', true)") == [[None]]
    assert door.error("SELECT current_setting('no_such')")["C"] == "42704"
    assert door.error("SELECT set_config('client_encoding', 'LATIN1', false)")["C"] == "22023"
    messages = answers(door, parse("SELECT set_config('TimeZone', $1, false)"), bind("", "", ("Asia/Tokyo",)), execute())
    assert ("S", b"TimeZone\0Asia/Tokyo\0") in messages
    door.run("BEGIN; SELECT set_config('TimeZone', 'UTC', true); COMMIT")
    assert door.rows("SHOW TimeZone") == [["Asia/Tokyo"]]
    door.run("BEGIN; SELECT set_config('jit', 'off', false); ROLLBACK")
    assert door.rows("SELECT current_setting('jit')") == [["on"]]


def test_a_prepared_statement_asks_for_settings_anew(door):
    answers(door, parse("SELECT current_setting('application_name')", "s"))
    for name in ["one", "two"]:
        door.run(f"SET application_name = '{name}'")
        assert row(answers(door, bind("", "s"), execute())[1][1]) == [name]


def test_parameter_status_on_change(door):
    def told(statement):
        return [body for kind, body in door.run(statement) if kind == "S"]

    assert told("SET TIME ZONE 'Europe/Berlin'") == [b"TimeZone\0Europe/Berlin\0"]
    assert told("SET application_name = 'x'") == [b"application_name\0x\0"]
    assert told("BEGIN; SET LOCAL TIME ZONE 'Asia/Tokyo'") == [b"TimeZone\0Asia/Tokyo\0"]
    assert told("ROLLBACK") == [b"TimeZone\0Europe/Berlin\0"]
    assert sorted(told("RESET ALL")) == [b"TimeZone\0UTC\0", b"application_name\0\0"]


def test_times_are_printed_as_postgresql_prints_them(door):
    for given, shown in [("5000", "5s"), ("'2min'", "2min"), ("250", "250ms"), ("0", "0"), ("'1h'", "1h")]:
        assert door.rows(f"SET statement_timeout = {given}; SHOW statement_timeout") == [[shown]]


def test_discard(door):
    door.run("SET application_name = 'x'; PREPARE p AS SELECT 1; CREATE TEMP TABLE scratch (i int);"
             " DECLARE c CURSOR WITH HOLD FOR SELECT 1")
    for target in ["PLANS", "SEQUENCES", "TEMP"]:
        assert door.tags(f"DISCARD {target}") == [f"DISCARD {target}"]
    assert door.error("SELECT * FROM scratch")["C"] == "42P01"
    assert door.rows("EXECUTE p") == [["1"]]
    assert door.tags("DISCARD ALL") == ["DISCARD ALL"]
    assert door.rows("SHOW application_name") == [[""]]
    assert door.error("EXECUTE p")["C"] == "26000"
    assert door.error("FETCH c")["C"] == "34000"
    door.run("BEGIN")
    assert door.error("DISCARD ALL")["C"] == "25001"


def test_show_all(door):
    settings = {name: value for name, value, _ in door.rows("SHOW ALL")}
    assert settings["server_encoding"] == "UTF8" and settings["TimeZone"] == "UTC"


def test_sessions_are_apart(box, door):
    door.run("SET application_name = 'mine'; PREPARE p AS SELECT 1")
    with Wire(box).log_in() as other:
        assert other.rows("SHOW application_name") == [[""]]
        assert other.error("EXECUTE p")["C"] == "26000"
