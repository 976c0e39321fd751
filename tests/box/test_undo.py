"""Yesterday, brought back: by command and by SQL."""

import json
import subprocess

import psycopg
import pytest


def command(box, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([box.binary, "undo", *arguments, "--data-dir", box.data_dir], env=box.environment,
                          capture_output=True, text=True, timeout=120)


def answer(box, *arguments: str):
    done = command(box, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def door(box):
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                         autocommit=True) as connection:
        yield connection


def rows(door, sql: str) -> list[tuple]:
    return door.execute(sql).fetchall()


def newest(door) -> int:
    return rows(door, "SELECT id FROM ducklake_current_snapshot('lake')")[0][0]


def test_a_table_comes_back_as_a_new_snapshot(box, door):
    door.execute("CREATE TABLE undone (id INTEGER, name TEXT)")
    door.execute("INSERT INTO undone SELECT range, 'row ' || range FROM range(100)")
    good = newest(door)
    door.execute("DELETE FROM undone WHERE id > 9")
    bad = newest(door)
    history = answer(box, "list", "undone")
    assert [(entry["snapshot_id"], entry["changes"]) for entry in history][:2] == [
        (str(bad), "deleted_from_table"), (str(good), "inserted_into_table")]
    assert history[-1]["changes"] == "created"
    done = command(box, "table", "undone", "--to", str(good))
    assert done.returncode == 0 and "100 rows" in done.stdout, done.stderr
    assert rows(door, "SELECT count(*), sum(id), max(name) FROM undone") == [(100, 4950, "row 99")]
    assert rows(door, f"SELECT count(*) FROM undone AT (VERSION => {bad})") == [(10,)], "what was there is there still"
    assert rows(door, "SELECT author, message FROM boathouse.table_history('undone')")[0] == (
        "boathouse undo", f"main.undone as of snapshot {good}")
    door.execute("DROP TABLE undone")


def test_nothing_to_show_is_said(box, door):
    assert answer(box, "list", "never_there") == []
    done = command(box, "list", "never_there")
    assert (done.returncode, done.stdout) == (0, "")
    assert "No snapshot that is left has changed a table never_there." in done.stderr


def test_differences_with_and_without_a_key(box, door):
    door.execute("CREATE TABLE differing (id INTEGER, name TEXT)")
    door.execute("INSERT INTO differing VALUES (1, 'stays'), (2, 'goes'), (3, 'old')")
    before = newest(door)
    door.execute("BEGIN; DELETE FROM differing WHERE id = 2; UPDATE differing SET name = 'new' WHERE id = 3; "
                 "INSERT INTO differing VALUES (4, 'comes'); COMMIT")
    after = newest(door)
    keyed = answer(box, "diff", "differing", "--from", str(before), "--to", str(after), "--key", "id")
    assert sorted((row["change"], row.get("before"), row.get("after")) for row in keyed) == [
        ("added", None, '{"id":4,"name":"comes"}'),
        ("changed", '{"id":3,"name":"old"}', '{"id":3,"name":"new"}'),
        ("removed", '{"id":2,"name":"goes"}', None)]
    plain = rows(door, f"SELECT change, count(*) FROM boathouse.table_diff('differing', {before}, {after}) GROUP BY 1 ORDER BY 1")
    assert plain == [("added", 2), ("removed", 2)]
    door.execute("DROP TABLE differing")


def test_a_dropped_table_and_a_dropped_schema_come_back(box, door):
    door.execute("CREATE SCHEMA gone")
    door.execute("CREATE TABLE gone.one AS SELECT range AS i FROM range(1000)")
    door.execute("CREATE TABLE gone.two (t TEXT)")
    door.execute("INSERT INTO gone.two VALUES ('inlined')")
    door.execute("DROP TABLE gone.one")
    assert "1000 rows" in command(box, "drop", "gone.one").stdout
    assert rows(door, "SELECT count(*), max(i) FROM gone.one") == [(1000, 999)]
    refused = command(box, "drop", "gone.one")
    assert refused.returncode != 0 and "no dropped table gone.one" in refused.stderr
    door.execute("DROP SCHEMA gone CASCADE")
    assert len(rows(door, "SELECT * FROM boathouse.undrop_schema('gone')")) == 2
    assert rows(door, "SELECT (SELECT count(*) FROM gone.one), (SELECT t FROM gone.two)") == [(1000, "inlined")]
    door.execute("DROP SCHEMA gone CASCADE")


def test_what_cannot_be_brought_back_says_why(box, door):
    door.execute("CREATE TABLE altered (i INTEGER)")
    door.execute("INSERT INTO altered VALUES (1)")
    then = newest(door)
    door.execute("ALTER TABLE altered ADD COLUMN j INTEGER")
    for arguments, words in [(("table", "altered", "--to", str(then)), "has other columns than in snapshot"),
                             (("table", "never", "--to", str(then)), "never"),
                             (("drop", "never"), "no dropped table main.never"),
                             (("diff", "altered", "--from", "0", "--to", str(then)), "altered")]:
        refused = command(box, *arguments)
        assert refused.returncode != 0 and words in refused.stderr, (arguments, refused.stderr)
    assert rows(door, "SELECT i, j FROM altered") == [(1, None)]
    door.execute("DROP TABLE altered")


@pytest.mark.parametrize("call", ["restore_table('read_only', 1)", "undrop_table('read_only')", "undrop_schema('read_only')",
                                  "set_policy('snapshot_age', 'off')", "unset_policy('snapshot_age')",
                                  "create_tag('read_only')", "drop_tag('read_only')"])
def test_a_read_only_transaction_changes_nothing(door, call):
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        door.execute(f"BEGIN READ ONLY; CALL boathouse.{call}; COMMIT")
    door.execute("ROLLBACK")


def test_names_with_dots_stand_in_quotes(box, door):
    door.execute('CREATE SCHEMA "eu.west"')
    for name in ('"eu.west"."orders.2026"', 'main."plain.dot"', 'main."with ""quotes""."'):
        door.execute(f"CREATE TABLE {name} AS SELECT 7 AS i")
        door.execute(f"DROP TABLE {name}")
        done = command(box, "drop", name)
        assert done.returncode == 0, done.stderr
        assert rows(door, f"SELECT i FROM {name}") == [(7,)]
        door.execute(f"DROP TABLE {name}")
    door.execute('DROP SCHEMA "eu.west"')
