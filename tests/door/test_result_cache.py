"""Answers that are kept: given again only while they are what a new computation would give, to whoever asks the same."""

import threading

import duckdb
import psycopg
import pytest

ASKERS = 8


@pytest.fixture
def counts(wire):
    """A function that tells what the cache has done so far."""
    watcher = wire()

    def read() -> dict[str, int]:
        names = ["answers", "bytes", "bytes_max", "hits", "misses", "stale", "evicted"]
        [[_, *values]] = watcher.rows("SHOW boathouse.cache")
        return dict(zip(names, map(int, values), strict=True))

    return read


@pytest.fixture
def filled(door, table):
    door.run(f"INSERT INTO {table} SELECT i, 'n' || i FROM range(1, 6) AS r(i)")
    return table


@pytest.fixture
def kept(door, counts):
    """A function that asks thrice, sees the third answer come from the cache, and gives it."""

    def ask(text: str) -> list[list[str | None]]:
        for _ in range(2):
            door.rows(text)
        hits = counts()["hits"]
        answer = door.rows(text)
        assert counts()["hits"] == hits + 1, f"computed again: {text}"
        return answer

    return ask


@pytest.fixture
def not_kept(door, counts):
    """A function that asks four times and sees every answer computed."""

    def ask(text: str) -> list[list[str | None]]:
        hits = counts()["hits"]
        answers = [door.rows(text) for _ in range(4)]
        assert counts()["hits"] == hits, f"kept: {text}"
        return answers[-1]

    return ask


@pytest.mark.parametrize("query", [
    "SELECT count(*), sum(id) FROM {t}",
    "SELECT * FROM {t} ORDER BY id",
    "WITH few AS (SELECT * FROM {t} WHERE id < 3) SELECT name FROM few ORDER BY id",
    "SELECT id, row_number() OVER (ORDER BY name) FROM {t} ORDER BY id",
    "SELECT id FROM {t} WHERE id IN (SELECT max(id) FROM {t})",
    "VALUES (1, 'a'), (2, 'b')",
    "SELECT name FROM {t} WHERE false",
    "/* a tool says who it is */ SELECT max(name) FROM {t}",
])
def test_an_answer_is_kept_and_right(kept, door, filled, query):
    text = query.format(t=filled)
    answer = kept(text)
    door.run("SET boathouse.cache = off")
    assert door.rows(text) == answer


@pytest.mark.parametrize("query", [
    "SELECT now() > '2020-01-01', count(*) FROM {t}",
    "SELECT count(*) FROM {t} WHERE random() >= 0",
    "SELECT id FROM {t} WHERE gen_random_uuid() IS NOT NULL ORDER BY id",
    "SELECT age(make_timestamp(0)) > INTERVAL '1 day', count(*) FROM {t}",
    "SELECT current_setting('application_name'), count(*) FROM {t}",
    "SELECT current_user, count(*) FROM {t}",
    "SELECT count(*) FROM {t} AT (TIMESTAMP => now())",
    "SELECT count(*) >= 0 FROM {t} TABLESAMPLE 50%",
    "SELECT count(*) >= 0 FROM duckdb_tables()",
    "SELECT count(*) > 0 FROM ducklake_snapshots('lake')",
])
def test_what_may_differ_is_not_kept(not_kept, filled, query):
    not_kept(query.format(t=filled))


def test_views_and_macros_are_looked_through(door, kept, not_kept, filled):
    door.run(f"CREATE VIEW steady_{filled} AS SELECT count(*) AS n FROM {filled}")
    door.run(f"CREATE VIEW moving_{filled} AS SELECT count(*) AS n FROM {filled} AT (TIMESTAMP => now())")
    door.run(f"CREATE VIEW above_{filled} AS SELECT n FROM moving_{filled}")
    door.run(f"CREATE MACRO clock_{filled}() AS now()")
    try:
        assert kept(f"SELECT n FROM steady_{filled}") == [["5"]]
        not_kept(f"SELECT n FROM above_{filled}")
        not_kept(f"SELECT clock_{filled}() > '2020-01-01' FROM {filled}")
    finally:
        for name in ("above", "moving", "steady"):
            door.run(f"DROP VIEW {name}_{filled}")
        door.run(f"DROP MACRO clock_{filled}")


def test_a_commit_is_seen_at_once(box, door, wire, kept, filled, duckdb_home):
    text = f"SELECT count(*) FROM {filled}"
    assert kept(text) == [["5"]]
    wire().run(f"INSERT INTO {filled} VALUES (6, 'six')")
    assert door.rows(text) == [["6"]]
    assert kept(text) == [["6"]]
    with duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")}) as direct:
        direct.execute(f"LOAD ducklake; ATTACH '{box.attach_string}' AS lake")
        direct.execute(f"DELETE FROM lake.{filled} WHERE id > 3")
        assert door.rows(text) == [["3"]]
    wire().run(f"DROP TABLE {filled}")
    assert door.error(text)["C"] == "42P01"


def test_a_transaction_sees_what_it_wrote(door, kept, filled):
    text = f"SELECT count(*) FROM {filled}"
    assert kept(text) == [["5"]]
    door.run("BEGIN")
    door.run(f"INSERT INTO {filled} VALUES (6, 'six')")
    assert door.rows(text) == [["6"]]
    door.run("ROLLBACK")
    assert door.rows(text) == [["5"]]


def test_a_version_of_the_past_is_kept_for_ever(door, wire, counts, filled):
    [[version]] = door.rows("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')")
    text = f"SELECT count(*) FROM {filled} AT (VERSION => {version})"
    for _ in range(2):
        assert door.rows(text) == [["5"]]
    wire().run(f"INSERT INTO {filled} VALUES (6, 'six')")
    before = counts()
    assert door.rows(text) == [["5"]]
    after = counts()
    assert (after["hits"], after["misses"]) == (before["hits"] + 1, before["misses"])


def test_a_temporary_table_hides_the_lakes(door, wire, kept, filled):
    text = f"SELECT count(*) FROM {filled}"
    assert kept(text) == [["5"]]
    door.run(f"CREATE TEMP TABLE {filled} (id int)")
    assert door.rows(text) == [["0"]]
    assert wire().rows(text) == [["5"]]


@pytest.mark.parametrize(("text", "setting", "before", "after"), [
    ("SELECT make_timestamptz(0)::text", "TimeZone = 'Asia/Tokyo'", "1970-01-01 00:00:00+00", "1970-01-01 09:00:00+09"),
    ("SELECT 7 / 2", "boathouse.dialect = 'duckdb'", "3", "3.5"),
])
def test_settings_are_part_of_the_question(door, kept, text, setting, before, after):
    assert kept(text) == [[before]]
    door.run(f"SET {setting}")
    assert kept(text) == [[after]]
    door.run(f"RESET {setting.split(' ')[0]}")
    assert kept(text) == [[before]]


def test_the_search_path_is_part_of_the_question(door, kept, filled):
    door.run(f"CREATE SCHEMA apart_{filled}")
    door.run(f"CREATE TABLE apart_{filled}.{filled} (id int)")
    try:
        assert kept(f"SELECT count(*) FROM {filled}") == [["5"]]
        door.run(f"SET search_path = apart_{filled}")
        assert kept(f"SELECT count(*) FROM {filled}") == [["0"]]
    finally:
        door.run(f"DROP SCHEMA apart_{filled} CASCADE")


def test_a_session_may_do_without(door, not_kept, counts, filled):
    door.run("SET boathouse.cache = off")
    not_kept(f"SELECT sum(id) FROM {filled}")
    assert door.rows("SHOW boathouse.cache")[0][0] == "off"
    door.run("RESET boathouse.cache")
    assert door.rows("SHOW boathouse.cache")[0][0] == "on"


def test_a_large_answer_is_not_kept(door, counts, filled):
    text = f"SELECT repeat('x', 1000000) FROM range(8), {filled} WHERE id = 1"
    before = counts()
    answers = [door.rows(text) for _ in range(3)]
    assert all(len(answer) == 8 and len(answer[0][0]) == 1_000_000 for answer in answers)
    assert counts()["hits"] == before["hits"]


def test_one_computes_while_the_others_wait(wire, counts, filled):
    text = f"SELECT count(*) FROM {filled} AS a, range(3000) AS b, range(3000) AS c WHERE (a.id + b.range) % 7 = c.range % 7"
    askers = [wire() for _ in range(ASKERS)]
    with_nothing_kept = askers[0].rows(text)
    before = counts()
    answers = [None] * ASKERS
    threads = [threading.Thread(target=lambda i=i: answers.__setitem__(i, askers[i].rows(text))) for i in range(ASKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [with_nothing_kept] * ASKERS
    after = counts()
    assert (after["misses"], after["hits"]) == (before["misses"] + 1, before["hits"] + ASKERS - 1)


@pytest.fixture
def driver(box):
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                         autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("prepare", [False, True])
def test_parameters_and_formats(driver, counts, filled, binary, prepare):
    def ask(number: int, name: str | None):
        query = f"SELECT id, name FROM {filled} WHERE id > %s AND (name = %s OR %s::text IS NULL) ORDER BY id"
        return driver.execute(query, (number, name, name), prepare=prepare, binary=binary).fetchall()

    for _ in range(3):
        assert ask(3, None) == [(4, "n4"), (5, "n5")]
        assert ask(4, None) == [(5, "n5")]
        assert ask(0, "n2") == [(2, "n2")]
    before = counts()["hits"]
    assert ask(3, None) == [(4, "n4"), (5, "n5")]
    assert counts()["hits"] == before + 1
    driver.execute(f"UPDATE {filled} SET name = 'new' WHERE id = 5")
    assert ask(3, None) == [(4, "n4"), (5, "new")]


def test_a_description_follows_the_schema(driver, wire, filled):
    def ask():
        cursor = driver.execute(f"SELECT * FROM {filled} WHERE id = 1", prepare=False)
        return [column.name for column in cursor.description], cursor.fetchall()

    for _ in range(4):
        assert ask() == (["id", "name"], [(1, "n1")])
    wire().run(f"ALTER TABLE {filled} ADD COLUMN more double")
    for _ in range(4):
        assert ask() == (["id", "name", "more"], [(1, "n1", None)])
    wire().run(f"ALTER TABLE {filled} DROP COLUMN name")
    assert ask() == (["id", "more"], [(1, None)])


def test_rows_in_parts(box, filled, counts):
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake") as driver:
        def ask():
            with driver.cursor(name="parts") as cursor:
                cursor.itersize = 2
                return [row[0] for row in cursor.execute(f"SELECT id FROM {filled} ORDER BY id")]

        for _ in range(4):
            assert ask() == [1, 2, 3, 4, 5]


def test_metrics(box, kept, filled):
    kept(f"SELECT min(id) FROM {filled}")
    status, text = box.http("/metrics")
    assert status == 200
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("boathouse_cache_"))
    assert float(values["boathouse_cache_hits_total"]) >= 1
    assert float(values["boathouse_cache_answers"]) >= 1
    assert float(values["boathouse_cache_snapshot_checks_total"]) >= 1
