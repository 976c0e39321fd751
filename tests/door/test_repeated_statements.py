"""Texts that come again and again by Query: their plans are kept, and must never be out of date."""

import pytest


def repeated(door, text: str) -> list[str]:
    """The only row of the answer, after it has come three times and was the same each time."""
    answers = [door.rows(text) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    return answers[0][0]


def test_the_same_text_gives_the_same_answer(door):
    assert repeated(door, "SELECT 1") == ["1"]
    assert repeated(door, "SELECT 'it''s', NULL, 1.5") == ["it's", None, "1.5"]
    assert repeated(door, "SELECT count(*), sum(i) FROM range(10) AS r(i)") == ["10", "45"]


def test_more_texts_than_are_kept(door):
    for _ in range(3):
        for number in range(40):
            assert door.rows(f"SELECT {number} + 1") == [[str(number + 1)]]


@pytest.mark.parametrize(("text", "before", "setting", "after"), [
    ("SELECT 7 / 2", "3", "boathouse.dialect = 'duckdb'", "3.5"),
    ("SELECT extract('hour' FROM make_timestamptz(0))", "0", "TimeZone = 'Asia/Tokyo'", "9"),
    ("SELECT current_setting('application_name')", "", "application_name = 'pool'", "pool"),
])
def test_a_setting_counts_at_once(door, text, before, setting, after):
    assert repeated(door, text) == [before]
    door.run(f"SET {setting}")
    assert repeated(door, text) == [after]
    door.run(f"RESET {setting.split(' ')[0]}")
    assert repeated(door, text) == [before]
    door.run("BEGIN")
    door.run(f"SET LOCAL {setting}")
    assert repeated(door, text) == [after]
    door.run("ROLLBACK")
    assert repeated(door, text) == [before]


def test_what_changes_by_itself(door):
    moments = [door.rows("SELECT now()")[0][0] for _ in range(4)]
    assert len(set(moments)) == 4
    numbers = [door.rows("SELECT random()")[0][0] for _ in range(4)]
    assert len(set(numbers)) == 4


def test_what_another_session_changes(door, wire, table):
    other = wire()
    assert repeated(door, f"SELECT count(*) FROM {table}") == ["0"]
    other.run(f"INSERT INTO {table} VALUES (1, 'a')")
    assert repeated(door, f"SELECT count(*) FROM {table}") == ["1"]
    other.run(f"CREATE MACRO of_{table}() AS 1")
    assert repeated(door, f"SELECT of_{table}()") == ["1"]
    other.run(f"CREATE OR REPLACE MACRO of_{table}() AS 2")
    assert repeated(door, f"SELECT of_{table}()") == ["2"]
    other.run(f"DROP MACRO of_{table}")
    assert door.error(f"SELECT of_{table}()")["C"] == "42883"


def test_errors_come_again_too(door):
    for _ in range(4):
        assert door.error("SELECT 1 % 0 + nothing")["C"] == "42703"
        assert door.error("SELECT factorial(100)")["C"] == "22003"
        assert door.rows("SELECT 1") == [["1"]]


def test_a_failed_block_refuses_them(door):
    assert repeated(door, "SELECT 1") == ["1"]
    door.run("BEGIN")
    door.error("SELECT nothing")
    assert door.error("SELECT 1")["C"] == "25P02"
    door.run("ROLLBACK")
    assert repeated(door, "SELECT 1") == ["1"]
