"""The keeper of a running box: its commands, its relations at the SQL door, its place beside clients of both doors."""

import json
import re
import subprocess
import threading
import time

import duckdb
import psycopg
import pytest
from box_process import running


@pytest.fixture(scope="module")
def kept(boathouse):
    """A box whose keeper does what these tests ask it for, and nothing by itself."""
    with running(boathouse) as box:
        yield box.pause_keeper()


def command(box, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([box.binary, *arguments, "--data-dir", box.data_dir], env=box.environment, capture_output=True,
                          text=True, timeout=120)


def answer(box, *arguments: str):
    done = command(box, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_until_done(box, table: str) -> dict:
    """The keeper's run on a table. PostgreSQL's own vacuum may make it give way for a moment."""
    deadline = time.monotonic() + 60
    while True:
        runs = [run for run in answer(box, "keeper", "run") if run["table"] == table]
        if runs and runs[-1]["outcome"] == "done":
            return runs[-1]
        assert time.monotonic() < deadline and all(run["outcome"] == "gave way" for run in runs), runs


@pytest.fixture
def door(kept):
    with psycopg.connect(host=kept.host, port=kept.sql_port, user=kept.user, password=kept.password, dbname="lake",
                         autocommit=True) as connection:
        yield connection


def rows(door, sql: str) -> list[tuple]:
    return door.execute(sql).fetchall()


def insert_files(door, table: str, count: int) -> None:
    door.execute(f"CREATE TABLE {table} (i INTEGER, s VARCHAR)")
    for number in range(count):
        door.execute(f"INSERT INTO {table} SELECT range + {number * 20}, 'x' FROM range(20)")


def attached(box, duckdb_home) -> duckdb.DuckDBPyConnection:
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute(f"LOAD ducklake; ATTACH '{box.attach_string}' AS lake; USE lake")
    return client


def live_files(door, table: str) -> int:
    return rows(door, f"SELECT count(*) FROM ducklake_list_files('lake', '{table}')")[0][0]


def test_a_plan_says_what_a_run_then_does(kept, door):
    insert_files(door, "planned", 20)
    step, = [step for step in answer(kept, "keeper", "plan") if step["table"] == "planned"]
    assert step["job"] == "merge" and "merge_files is 16" in step["why"]
    assert answer(kept, "keeper", "run", "--dry-run") == answer(kept, "keeper", "plan")
    run = run_until_done(kept, "planned")
    assert (run["files_before"], run["files_after"]) == (20, 1)
    assert live_files(door, "planned") == 1
    assert rows(door, "SELECT count(*), sum(i) FROM planned") == [(400, 79800)]
    assert not [step for step in answer(kept, "keeper", "plan") if step["table"] == "planned"]
    recorded, = rows(door, "SELECT job, outcome, files_before, files_after, error FROM boathouse.keeper_runs "
                           "WHERE table_name = 'planned' AND outcome = 'done'")
    assert recorded == ("merge", "done", 20, 1, None)
    assert re.search(r'boathouse_keeper_last_success_seconds\{job="merge"\} [1-9]', kept.http("/metrics")[1])
    status = answer(kept, "keeper", "status")
    assert status["runs"][0]["job"] == "merge"
    author, message = rows(door, "SELECT author, commit_message FROM ducklake_snapshots('lake') ORDER BY snapshot_id DESC")[0]
    assert author == "boathouse keeper" and "merge_files" in message


def test_policies_by_command_and_by_sql_are_the_same(kept, door):
    door.execute("CREATE SCHEMA sales")
    door.execute("CREATE TABLE sales.orders (i INTEGER)")
    assert command(kept, "policy", "set", "snapshot_age", "7 days").returncode == 0
    assert command(kept, "policy", "set", "merge_files", "off", "--for", "sales.orders").returncode == 0
    values = dict(rows(door, "SELECT policy, value FROM boathouse.policies WHERE schema_name IS NULL"))
    assert (values["snapshot_age"], values["merge_files"]) == ("7 days", "16")
    assert rows(door, "SELECT schema_name, table_name, value FROM boathouse.policies WHERE policy = 'merge_files' "
                      "AND schema_name IS NOT NULL") == [("sales", "orders", "off")]
    door.execute("CALL boathouse.unset_policy('merge_files', schema_name := 'sales', table_name := 'orders')")
    door.execute("CALL boathouse.set_policy('rewrite_deleted', '0.5', schema_name := 'sales')")
    assert answer(kept, "policy", "show", "--for", "sales.orders")["values"]["rewrite_deleted"] == "0.5"
    door.execute("CALL boathouse.set_policy('snapshot_age', 'off')")
    assert answer(kept, "policy", "show")["values"]["snapshot_age"] == "off"
    assert command(kept, "policy", "unset", "snapshot_age").returncode == 0
    assert answer(kept, "policy", "show")["values"]["snapshot_age"] == "30 days"


def test_a_default_is_told_however_it_is_written(kept):
    shown = command(kept, "policy", "show").stdout
    assert re.search(r"^target_file_size +512000000 +\(default\)$", shown, re.MULTILINE), shown
    assert re.search(r"^merge_files +16 +\(default\)$", shown, re.MULTILINE), shown


FILE = """
merge_files = 32
snapshot_age = "9 days"

[policy.sales]
flush_age = "10 minutes"
merge_files = 64

[policy.'"my.schema".orders']
merge_files = "off"
"""


def test_policies_of_the_file_count_until_others_are_set(new_box):
    box = new_box(start=False)
    file = box.root / "boathouse.toml"
    file.write_text(FILE)
    box.environment |= {"BOATHOUSE_CONFIG": str(file), "BOATHOUSE_FLUSH_ROWS": "5000"}
    box.start().pause_keeper()
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                         autocommit=True) as door:
        door.execute("CREATE SCHEMA sales; CREATE TABLE sales.orders (i INTEGER); CREATE TABLE sales.places (i INTEGER)")
        door.execute('CREATE SCHEMA "my.schema"; CREATE TABLE "my.schema".orders (i INTEGER); CREATE TABLE t (i INTEGER)')

        def policies() -> dict[str, tuple[str, str]]:
            return {".".join(filter(None, (schema, table, policy))): (value, origin) for schema, table, policy, value, origin in rows(
                door, "SELECT schema_name, table_name, policy, value, origin FROM boathouse.policies")}

        given = policies()
        assert given["merge_files"] == ("32", f"{file}:2") and given["snapshot_age"] == ("9 days", f"{file}:3")
        assert given["flush_rows"] == ("5000", "environment BOATHOUSE_FLUSH_ROWS")
        assert given["flush_age"] == ("1 hour", "default")
        assert given["sales.merge_files"] == ("64", f"{file}:7")
        assert given["my.schema.orders.merge_files"] == ("off", f"{file}:10")

        # What a plan says, for each of them.
        for table in ("t", "sales.orders", "sales.places", '"my.schema".orders'):
            for _ in range(33):
                door.execute(f"INSERT INTO {table} SELECT range FROM range(20)")
        merged = {step["schema"]: step["why"] for step in answer(box, "keeper", "plan") if step["job"] == "merge"}
        assert list(merged) == ["main"] and "merge_files is 32" in merged["main"]

        assert command(box, "policy", "set", "merge_files", "16", "--for", "sales.orders").returncode == 0
        assert command(box, "policy", "set", "merge_files", "20", "--for", '"my.schema".orders').returncode == 0
        door.execute("CALL boathouse.set_policy('merge_files', 'off')")
        now = policies()
        assert now["merge_files"] == ("off", "set") and now["sales.orders.merge_files"] == ("16", "set")
        assert now["sales.merge_files"] == ("64", f"{file}:7") and now["my.schema.orders.merge_files"] == ("20", "set")
        merged = {(step["schema"], step["table"]): step["why"] for step in answer(box, "keeper", "plan") if step["job"] == "merge"}
        assert set(merged) == {("sales", "orders"), ("my.schema", "orders")}
        shown = command(box, "policy", "show", "--for", "sales.places").stdout
        assert re.search(rf"^merge_files +64 +\(schema sales, {file}:7\)$", shown, re.MULTILINE), shown
        assert re.search(r"^flush_rows +5000 +\(lake, environment BOATHOUSE_FLUSH_ROWS\)$", shown, re.MULTILINE), shown

        unset = command(box, "policy", "unset", "merge_files")
        assert unset.returncode == 0 and f"It is 32 by {file}:2." in unset.stderr
        assert policies()["merge_files"] == ("32", f"{file}:2")

    # Another start, with another file.
    file.write_text('[policy."sales.orders"]\nflush_age = "off"\n')
    del box.environment["BOATHOUSE_FLUSH_ROWS"]
    box.restart()
    shown = answer(box, "policy", "show", "--for", "sales.orders")
    assert shown["values"]["flush_age"] == "off" and shown["origins"]["flush_age"] == f"table sales.orders, {file}:2"
    assert (shown["values"]["merge_files"], shown["origins"]["merge_files"]) == ("16", "table sales.orders, set")
    assert (shown["values"]["flush_rows"], shown["origins"]["flush_rows"]) == ("10000", "default")


def test_policies_that_cannot_be_are_told_before_anything_is_started(boathouse, tmp_path):
    file = tmp_path / "boathouse.toml"
    file.write_text('orphan_age = "soon"\n[policy.sales]\nsnapshot_age = "7 days"\nmergefiles = 3\n')
    refused = subprocess.run([boathouse, "serve", "--data-dir", tmp_path / "data", "--config", file, "--flush-rows", "0"],
                             capture_output=True, text=True, timeout=60)
    assert refused.returncode == 78 and not (tmp_path / "data").exists()
    for part in (f"orphan_age ({file}:1): 'soon' is not a duration", "flush_rows (flag --flush-rows): '0' is not a whole number",
                 f"{file}:3: [policy.sales] snapshot_age is the whole lake's",
                 f'{file}:4: [policy.sales] there is no policy "mergefiles" (did you mean merge_files?)'):
        assert part in refused.stderr, refused.stderr


def test_a_policy_is_ducklakes_option_where_there_is_one(kept, duckdb_home):
    command(kept, "policy", "set", "cleanup_age", "3 days")
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute(f"LOAD ducklake; ATTACH '{kept.attach_string}' AS lake")
    assert client.execute("SELECT value FROM ducklake_options('lake') WHERE option_name = 'delete_older_than'").fetchall() \
        == [("3 days",)]
    client.execute("CALL lake.set_option('delete_older_than', '4 days')")
    assert answer(kept, "policy", "show")["values"]["cleanup_age"] == "4 days"
    assert command(kept, "policy", "unset", "cleanup_age").returncode == 0


@pytest.mark.parametrize(("arguments", "words"), [
    (("set", "mergefiles", "3"), "there is no policy"),
    (("set", "snapshot_age", "soon"), "Give a duration"),
    (("set", "snapshot_age", "7 days", "--for", "main"), "the whole lake's"),
    (("set", "merge_files", "3", "--for", "main.nothing"), "no table main.nothing"),
    (("set", "window", "22-06"), "Give hours of the day"),
    (("set", "merge_files", "3", "--for", "a.b.c"), "names neither a schema nor a table"),
])
def test_a_policy_that_cannot_be_is_refused(kept, arguments, words):
    refused = command(kept, "policy", *arguments)
    assert refused.returncode != 0 and words in refused.stderr


def test_tags_by_command_and_by_sql(kept, door):
    door.execute("CREATE TABLE tagged (i INTEGER)")
    assert command(kept, "tag", "create", "before").returncode == 0
    newest = rows(door, "SELECT id FROM ducklake_current_snapshot('lake')")[0][0]
    assert rows(door, "SELECT name, snapshot_id FROM boathouse.tags") == [("before", newest)]
    refused = command(kept, "tag", "create", "before")
    assert refused.returncode == 1 and "already" in refused.stderr
    missing = command(kept, "tag", "create", "never", "--snapshot", "999999")
    assert missing.returncode != 0 and "no snapshot 999999" in missing.stderr
    door.execute("CALL boathouse.create_tag('by-sql')")
    assert [tag["name"] for tag in answer(kept, "tag", "list")] == ["before", "by-sql"]
    with pytest.raises(psycopg.Error, match="no tag"):
        door.execute("CALL boathouse.drop_tag('never')")
    for name in ("before", "by-sql"):
        assert command(kept, "tag", "drop", name).returncode == 0
    assert rows(door, "SELECT * FROM boathouse.tags") == []


def test_clients_do_not_write_to_the_boxs_own(door):
    for sql in ("CREATE TABLE boathouse.main.mine (i INTEGER)", "DROP VIEW boathouse.main.keeper_runs",
                "INSERT INTO boathouse.keeper_runs (id) VALUES (1)"):
        with pytest.raises(psycopg.Error):
            door.execute(sql)


def test_paused_it_still_does_what_it_is_asked(kept, door):
    assert answer(kept, "keeper", "status")["paused"]
    insert_files(door, "paused", 17)
    run_until_done(kept, "paused")
    assert live_files(door, "paused") == 1
    assert command(kept, "keeper", "resume").returncode == 0
    assert not answer(kept, "keeper", "status")["paused"]
    assert command(kept, "keeper", "pause").returncode == 0


def test_it_rests_beside_queries(kept, door):
    """What `keeper status` tells is read where the keeper writes it, often enough to miss no pause."""
    for table in ("rested", "rested_too"):
        insert_files(door, table, 40)
    stop = threading.Event()
    counted = set()

    def ask() -> None:
        with psycopg.connect(host=kept.host, port=kept.sql_port, user=kept.user, password=kept.password, dbname="lake",
                             autocommit=True) as client:
            client.execute("SET boathouse.cache = off")
            while not stop.is_set():
                counted.add(client.execute("SELECT (SELECT count(*) FROM rested), (SELECT sum(i) FROM rested_too)").fetchone())

    asking = threading.Thread(target=ask)
    asking.start()
    activities = set()
    try:
        with psycopg.connect(host=str(kept.data_dir / "run"), port=kept.catalog_port, user="boathouse",
                             dbname=f"boathouse_{kept.database}", autocommit=True) as told:
            run = subprocess.Popen([kept.binary, "keeper", "run", "--data-dir", kept.data_dir], env=kept.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while run.poll() is None:
                activities.add(told.execute("SELECT activity FROM keeper.state").fetchone()[0])
                time.sleep(0.01)
    finally:
        stop.set()
        asking.join()
    assert run.returncode == 0 and "rest beside queries" in activities, activities
    while [step for step in answer(kept, "keeper", "plan") if step["table"].startswith("rested")]:
        answer(kept, "keeper", "run")
    assert (live_files(door, "rested"), live_files(door, "rested_too")) == (1, 1)
    assert counted == {(800, sum(range(800)))}


def test_a_flush_of_a_changed_table_breaks_no_client(kept, door, duckdb_home):
    """Rows that were inlined before and after a change lie in two tables of the catalog, of which the flush drops one."""
    reader, other = (attached(kept, duckdb_home) for _ in range(2))
    for change in ("CREATE TABLE changed_inlined (i INTEGER)", "COMMENT ON TABLE changed_inlined IS 'it''s'",
                   "INSERT INTO changed_inlined VALUES (1)", "ALTER TABLE changed_inlined ADD COLUMN more INTEGER",
                   "INSERT INTO changed_inlined VALUES (2, 2)"):
        other.execute(change)
    assert command(kept, "policy", "set", "flush_rows", "2", "--for", "main.changed_inlined").returncode == 0
    door.execute("SET boathouse.cache = off")
    questions = ("SELECT count(*) FROM changed_inlined", "SELECT i, more FROM changed_inlined ORDER BY i")
    asked = [lambda question, client=client: client.execute(question).fetchall() for client in (door, reader, other)]
    before = [[ask(question) for question in questions] for ask in asked]
    run_until_done(kept, "changed_inlined")
    assert [[ask(question) for question in questions] for ask in asked] == before == [[[(2,)], [(1, None), (2, 2)]]] * 3
    files, inlined = other.execute("""SELECT count(DISTINCT data_file_id), count(DISTINCT n.table_name) FROM
        __ducklake_metadata_lake.ducklake_table t JOIN __ducklake_metadata_lake.ducklake_data_file USING (table_id)
        JOIN __ducklake_metadata_lake.ducklake_inlined_data_tables n USING (table_id)
        WHERE t.table_name = 'changed_inlined' AND t.end_snapshot IS NULL""").fetchone()
    assert (files, inlined) == (2, 1), "nothing was flushed, or both tables of rows are still there"
    comment = "SELECT comment FROM duckdb_tables() WHERE table_name = 'changed_inlined'"
    assert attached(kept, duckdb_home).execute(comment).fetchone() == ("it's",)


# The direct client knows nothing of the keeper; without the trigger its delete would be lost.
def test_it_gives_way_to_a_direct_client(kept, door, duckdb_home):
    insert_files(door, "shared", 20)
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute(f"LOAD ducklake; ATTACH '{kept.attach_string}' AS lake; BEGIN; DELETE FROM lake.shared WHERE i < 5")
    runs = [run for run in answer(kept, "keeper", "run") if run["table"] == "shared"]
    assert runs and all(run["outcome"] == "gave way" for run in runs), runs
    client.execute("COMMIT")
    assert rows(door, "SELECT count(*) FROM shared") == [(395,)]
    client.close()
    run_until_done(kept, "shared")
    assert rows(door, "SELECT count(*), min(i) FROM shared") == [(395, 5)]


def test_nobody_else_enters_the_boxs_database(kept):
    kept.expect("admin@boathouse")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(host=kept.host, port=kept.catalog_port, user=kept.user, password=kept.password, dbname=f"boathouse_{kept.database}")
