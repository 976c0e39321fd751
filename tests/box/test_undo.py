"""Yesterday, brought back: by command and by SQL."""

import json
import subprocess

import duckdb
import psycopg
import pytest

from direct_client import attached


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
    assert len(rows(door, "SELECT * FROM boathouse.undrop_schema('gone')")) == 3
    assert rows(door, "SELECT (SELECT count(*) FROM gone.one), (SELECT t FROM gone.two)") == [(1000, "inlined")]
    door.execute("DROP SCHEMA gone CASCADE")


MADE = """
    CREATE SCHEMA kept;
    CREATE TABLE kept.orders (id INTEGER NOT NULL, region VARCHAR DEFAULT 'it''s here', amount DECIMAL(10,2) DEFAULT 1.5,
        placed DATE, at_ TIMESTAMP DEFAULT now(), paid BOOLEAN DEFAULT true, "odd ""name" STRUCT("a b" INTEGER, c VARCHAR[]),
        tags MAP(VARCHAR, INTEGER), document JSON, huge HUGEINT);
    ALTER TABLE kept.orders ADD COLUMN later INTEGER DEFAULT 5;
    ALTER TABLE kept.orders ALTER later SET DEFAULT 7;
    ALTER TABLE kept.orders SET PARTITIONED BY (month(placed));
    ALTER TABLE kept.orders SET PARTITIONED BY (year(placed), bucket(4, id), region);
    ALTER TABLE kept.orders SET SORTED BY (id DESC NULLS LAST, lower(region) ASC);
    COMMENT ON TABLE kept.orders IS 'it''s what was sold';
    COMMENT ON COLUMN kept.orders.id IS 'the number';
    COMMENT ON COLUMN kept.orders."odd ""name" IS 'odd';
    INSERT INTO kept.orders (id, region, placed) SELECT range, 'r' || range % 3, DATE '2025-06-01' + range::INTEGER FROM range(400);
    INSERT INTO kept.orders (id, placed, document) VALUES (400, NULL, '{"a": 1}');
    CALL lake.set_option('target_file_size', '3MB', schema => 'kept', table_name => 'orders');
    CALL lake.set_option('parquet_compression', 'gzip', schema => 'kept', table_name => 'orders');
    CALL lake.set_option('data_inlining_row_limit', 3, schema => 'kept')
"""


def description(client, schema: str) -> dict[str, list[tuple]]:
    """All that a direct client, attached anew, knows of what a schema holds."""
    metadata = "__ducklake_metadata_lake.ducklake_"
    live = f"(SELECT table_id, table_name FROM {metadata}table t JOIN {metadata}schema s USING (schema_id) " \
           f"WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND schema_name = '{schema}')"
    return {what: client.execute(sql).fetchall() for what, sql in {
        "tables": f"SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = '{schema}' ORDER BY 1",
        "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default, comment FROM duckdb_columns() "
                   f"WHERE schema_name = '{schema}' ORDER BY 1, column_index",
        "views": f"SELECT view_name, sql, comment FROM duckdb_views() WHERE schema_name = '{schema}' ORDER BY 1",
        "macros": "SELECT function_name, function_type, parameters, macro_definition FROM duckdb_functions() "
                  f"WHERE schema_name = '{schema}' AND database_name = 'lake' ORDER BY 1, 3",
        "partitions": f"SELECT table_name, partition_key_index, column_name, transform FROM {metadata}partition_column p "
                      f"JOIN {live} USING (table_id) JOIN {metadata}partition_info i USING (table_id, partition_id) "
                      f"JOIN {metadata}column c USING (table_id, column_id) WHERE c.end_snapshot IS NULL AND "
                      "i.end_snapshot IS NULL ORDER BY ALL",
        "sorting": "SELECT table_name, sort_key_index, expression, sort_direction, null_order "
                   f"FROM {metadata}sort_expression JOIN {live} USING (table_id) JOIN {metadata}sort_info i "
                   "USING (table_id, sort_id) WHERE i.end_snapshot IS NULL ORDER BY ALL",
        "options": "SELECT option_name, value, scope, scope_entry FROM ducklake_options('lake') "
                   f"WHERE scope_entry LIKE '{schema}%' ORDER BY ALL",
    }.items()}


def description_at_the_door(door, schema: str) -> list[tuple]:
    return rows(door, "SELECT c.relname, c.relkind::text, obj_description(c.oid, 'pg_class'), a.attname, "
                      "format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), "
                      "col_description(c.oid, a.attnum) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                      "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 LEFT JOIN pg_attrdef d "
                      "ON d.adrelid = c.oid AND d.adnum = a.attnum "
                      f"WHERE n.nspname = '{schema}' ORDER BY 1, a.attnum")


def test_an_undropped_table_is_what_it_was(box, door, duckdb_home):
    with attached(box, duckdb_home) as client:
        for statement in MADE.split(";\n"):
            client.execute(statement)
    with attached(box, duckdb_home) as client:
        before = description(client, "kept")
        contents = client.execute("FROM kept.orders ORDER BY id").fetchall()
    assert len(before["partitions"]) == 3 and len(before["sorting"]) == 2 and len(before["options"]) == 3, before
    at_the_door = description_at_the_door(door, "kept")
    door.execute("DROP TABLE kept.orders")
    done = command(box, "drop", "kept.orders")
    assert done.returncode == 0 and "401 rows" in done.stdout, done.stderr
    with attached(box, duckdb_home) as client:
        assert description(client, "kept") == before
        assert client.execute("FROM kept.orders ORDER BY id").fetchall() == contents
        client.execute("INSERT INTO kept.orders (id, region, placed) SELECT 1000 + range, 'new', '1999-01-01' FROM range(50)")
        files = client.execute("SELECT data_file FROM ducklake_list_files('lake', 'orders', schema => 'kept')").fetchall()
        assert any("year=1999/" in file and "region=new" in file for file, in files), files
        with pytest.raises(duckdb.ConstraintException, match="NOT NULL"):
            client.execute("INSERT INTO kept.orders (id) VALUES (NULL)")
    assert description_at_the_door(door, "kept") == at_the_door
    with pytest.raises(psycopg.errors.NotNullViolation):
        door.execute("INSERT INTO kept.orders (region) VALUES ('no number')")
    door.execute("INSERT INTO kept.orders (id) VALUES (5000)")
    assert rows(door, "SELECT region, amount::text, paid, later, at_ > now()::timestamp - interval '1 hour' "
                      "FROM kept.orders WHERE id = 5000") == [("it's here", "1.50", True, 7, True)]
    assert "no dropped table kept.orders" in command(box, "drop", "kept.orders").stderr
    door.execute("DROP SCHEMA kept CASCADE")


def test_an_undropped_schema_has_all_that_went_with_it(box, door, duckdb_home):
    with attached(box, duckdb_home) as client:
        for statement in [
                "CREATE SCHEMA whole", "CREATE TABLE whole.earlier (i INTEGER)", "DROP SCHEMA whole CASCADE",
                "CREATE SCHEMA whole", "CREATE TABLE whole.one (i INTEGER NOT NULL)", "CREATE TABLE whole.early AS SELECT 1 AS i",
                "DROP TABLE whole.early", "CREATE VIEW whole.broken AS SELECT i FROM whole.one", "INSERT INTO whole.one VALUES (1), (2)",
                "CREATE TABLE whole.base (i INTEGER)", "CREATE VIEW whole.on_base AS SELECT i FROM whole.base", "DROP TABLE whole.base",
                "CREATE OR REPLACE VIEW whole.broken AS SELECT i, i * 2 AS j FROM whole.one",
                "CREATE VIEW whole.named (x, y) AS SELECT * FROM whole.broken", "COMMENT ON VIEW whole.named IS 'a view''s'",
                "CREATE MACRO whole.plus(a, b := 'it''s') AS a || b", "CREATE MACRO whole.rows_of(n) AS TABLE SELECT n AS x",
                "CREATE MACRO whole.either(a INTEGER) AS a + 1, (a VARCHAR, b) AS a || b",
                "CALL lake.set_option('parquet_compression', 'gzip', schema => 'whole')"]:
            client.execute(statement)
    with attached(box, duckdb_home) as client:
        before = description(client, "whole")
    assert [len(before[what]) for what in ("tables", "views", "macros")] == [1, 3, 4]
    door.execute("DROP SCHEMA whole CASCADE")
    told = command(box, "drop-schema", "whole")
    assert told.returncode == 0, told.stderr
    assert sorted(line.split(",")[0] for line in told.stdout.splitlines()) == sorted(
        ["schema whole is there again", "whole.one is there again", "macro whole.plus is there again",
         "macro whole.rows_of is there again", "macro whole.either is there again", "view whole.broken is there again",
         "view whole.named is there again", "view whole.on_base is there again"])
    with attached(box, duckdb_home) as client:
        assert description(client, "whole") == before
        assert client.execute("SELECT y, whole.plus('a'), whole.either(1), whole.either('a', 'b') FROM whole.named "
                              "ORDER BY 1").fetchall() == [(2, "ait's", 2, "ab"), (4, "ait's", 2, "ab")]
    assert rows(door, "SELECT sum(y) FROM whole.named") == [(6,)]
    assert "no dropped schema whole" in command(box, "drop-schema", "whole").stderr
    door.execute("DROP VIEW whole.named")
    assert "view whole.named is there again" in command(box, "drop", "whole.named").stdout
    door.execute("DROP SCHEMA whole CASCADE")
    door.execute("CREATE SCHEMA bare")
    door.execute("DROP SCHEMA bare")
    assert "schema bare is there again" in command(box, "drop-schema", "bare").stdout
    door.execute("DROP SCHEMA bare")


def test_public_is_main(box, door):
    door.execute("CREATE TABLE public.known AS SELECT 1 AS i")
    assert answer(box, "list", "public.known") == answer(box, "list", "known") != []
    door.execute("DROP TABLE public.known")
    assert "main.known is there again" in command(box, "drop", "public.known").stdout
    assert answer(box, "diff", "public.known", "--from", str(newest(door)), "--to", str(newest(door))) == []
    assert "1 rows" in command(box, "table", "public.known", "--to", str(newest(door))).stdout
    door.execute("DROP TABLE public.known")


def test_a_renamed_table_is_not_a_dropped_one(box, door):
    door.execute("CREATE TABLE former (i INTEGER)")
    door.execute("ALTER TABLE former RENAME TO latter")
    assert "no dropped table main.former" in command(box, "drop", "former").stderr
    door.execute("DROP TABLE latter")
    assert "no dropped table main.former" in command(box, "drop", "former").stderr
    assert "0 rows" in command(box, "drop", "latter").stdout
    door.execute("DROP TABLE latter")


def test_what_cannot_be_brought_back_says_why(box, door):
    before = newest(door)
    door.execute("CREATE TABLE altered (i INTEGER)")
    door.execute("INSERT INTO altered VALUES (1)")
    then = newest(door)
    door.execute("ALTER TABLE altered ADD COLUMN j INTEGER")
    for arguments, words in [(("table", "altered", "--to", str(then)), "has other columns than in snapshot"),
                             (("table", "never", "--to", str(then)), "never"),
                             (("drop", "never"), "no dropped table main.never"),
                             (("diff", "altered", "--from", str(before), "--to", str(then)), "altered")]:
        refused = command(box, *arguments)
        assert refused.returncode != 0 and words in refused.stderr, (arguments, refused.stderr)
        assert "Hint: Hint" not in refused.stderr
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
