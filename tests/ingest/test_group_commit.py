"""INSERTs of values share commits: which do, in what order, what fails whom, and what may be cancelled."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import duckdb
import psycopg
import pytest
from gathering import Background, commits_held, counter, door_of, wait_for, waiting_locks
from psycopg import errors
from psycopg.types.json import Json


def ids(connection, table) -> list[int]:
    return [row[0] for row in connection.execute(f"SELECT id FROM {table} ORDER BY id").fetchall()]


GATHERED = [
    "INSERT INTO {t} VALUES (1, 'one', now())",
    "INSERT INTO {t} (id) VALUES (1)",
    "INSERT INTO {t} (name, id) VALUES ('one', 1), (DEFAULT, 2)",
    "INSERT INTO {t} (id, name) VALUES (6 / 2, upper('three') || gen_random_uuid()::text)",
    "INSERT INTO lake.main.{t} (id) VALUES ('7')",
    "INSERT INTO public.{t} (id, at) VALUES (8, '2026-01-01 12:00:00+02')",
]
ALONE = [
    "INSERT INTO {t} (id) SELECT 1",
    "INSERT INTO {t} (id) VALUES (1) RETURNING id",
    "INSERT INTO {t} (id) VALUES ((SELECT count(*) FROM {t}))",
    "INSERT INTO {t} (id, name) VALUES (1, 'a') ON CONFLICT (id) DO NOTHING",
    "BEGIN; INSERT INTO {t} (id) VALUES (1); COMMIT",
    "UPDATE {t} SET id = 3",
]


@pytest.mark.parametrize("statement", GATHERED)
@pytest.mark.parametrize("prepare", [False, True])
def test_values_are_gathered(box, door, table, statement, prepare):
    before = counter(box, "statements_total")
    written = door.execute(statement.format(t=table), prepare=prepare).rowcount
    assert counter(box, "statements_total") == before + 1
    assert len(ids(door, table)) == written


@pytest.mark.parametrize("statement", ALONE)
def test_other_statements_commit_by_themselves(box, door, table, statement):
    before = counter(box, "statements_total")
    door.execute(statement.format(t=table))
    assert counter(box, "statements_total") == before


def copy(door, table, rows, options=""):
    with door.cursor() as cursor:
        with cursor.copy(f"COPY {table} (id, name) FROM STDIN {options}") as copying:
            for row in rows:
                copying.write_row(row)
        return cursor.rowcount


@pytest.mark.parametrize("options", ["", "(FORMAT binary)"])
def test_a_copy_of_few_rows_is_gathered(box, door, direct, table, options):
    before = counter(box, "statements_total")
    with door.cursor() as cursor:
        with cursor.copy(f"COPY {table} (id, name) FROM STDIN {options}") as copying:
            copying.set_types(["int4", "text"])
            for row in [(1, "a"), (2, None)]:
                copying.write_row(row)
        assert cursor.statusmessage == "COPY 2"
    assert counter(box, "statements_total") == before + 1
    assert door.execute(f"SELECT id, name, at FROM {table} ORDER BY id").fetchall() == [(1, "a", None), (2, None, None)]
    assert direct.execute(f"SELECT count(*) FROM {table}").fetchone() == (2,)


def test_copies_and_inserts_that_wait_share_one_snapshot(box, connect, door, table):
    before = counter(box, "batches_total")
    clients = [connect() for _ in range(7)]
    with commits_held(box):
        waiting = [Background(copy, clients[0], table, [(0, "first")])]
        wait_for(lambda: counter(box, "waiting") == 0 and waiting_locks(box) > 0, "the first commit")
        waiting += [Background(copy, client, table, [(number, "copied")]) for number, client in enumerate(clients[1:4], 1)]
        waiting += [Background(client.execute, f"INSERT INTO {table} (id) VALUES ({number})")
                    for number, client in enumerate(clients[4:], 4)]
        wait_for(lambda: counter(box, "waiting") == 6, "six statements that wait")
    for one in waiting:
        one.outcome()
    assert counter(box, "batches_total") == before + 2
    assert ids(door, table) == list(range(7))


@pytest.mark.parametrize("rows, message", [
    ([(1, "a"), ("x", "b")], r'invalid input syntax for type integer: "x"(.|\n)*line 2, column id'),
    ([(1, "a"), (None, "b")], 'null value in column "id"'),
])
def test_a_bad_row_fails_its_copy(door, table, rows, message):
    with pytest.raises(psycopg.Error, match=message):
        copy(door, table, rows)
    assert ids(door, table) == []


def test_copies_that_commit_by_themselves(box, door, table):
    before = counter(box, "statements_total")
    copy(door, table, [(1, "a"), (2, "b")], "WHERE id > 1")
    copy(door, table, ((number, "many") for number in range(10_001)))
    with door.transaction():
        copy(door, table, [(3, "c")])
    assert counter(box, "statements_total") == before
    assert len(ids(door, table)) == 10_003


def test_a_copy_into_a_table_that_has_changed(door, direct, table):
    copy(door, table, [(1, "a")])
    direct.execute(f"ALTER TABLE {table} ADD COLUMN more INTEGER DEFAULT 5")
    copy(door, table, [(2, "b")])
    assert door.execute(f"SELECT id, more FROM {table} ORDER BY id").fetchall() == [(1, 5), (2, 5)]


def test_temporary_tables_are_not_the_lakes(box, door, table):
    door.execute(f"CREATE TEMPORARY TABLE {table} (id int)")
    door.execute(f"INSERT INTO {table} VALUES (1)")
    assert ids(door, f"lake.main.{table}") == []
    door.execute(f"DROP TABLE temp.{table}")


def test_opt_out(box, door, table):
    door.execute("SET boathouse.group_commit = off")
    before = counter(box, "statements_total")
    door.execute(f"INSERT INTO {table} (id) VALUES (1)")
    assert counter(box, "statements_total") == before
    door.execute("RESET boathouse.group_commit")
    door.execute(f"INSERT INTO {table} (id) VALUES (2)")
    assert counter(box, "statements_total") == before + 1
    assert ids(door, table) == [1, 2]


def test_those_who_wait_share_one_snapshot(box, connect, door, table):
    other = f"{table}_other"
    door.execute(f"CREATE TABLE {other} (id int)")
    before = counter(box, "batches_total")
    clients = [connect() for _ in range(9)]
    with commits_held(box):
        first = Background(clients[0].execute, f"INSERT INTO {table} (id) VALUES (0)")
        wait_for(lambda: counter(box, "waiting") == 0 and waiting_locks(box) > 0, "the first commit")
        rest = [Background(client.execute, f"INSERT INTO {(table, other)[n % 2]} (id) VALUES (%s)", (n,))
                for n, client in enumerate(clients[1:], 1)]
        wait_for(lambda: counter(box, "waiting") == 8, "eight statements that wait")
        assert first.is_alive()
    for one in [first, *rest]:
        one.outcome()
    assert counter(box, "batches_total") == before + 2
    assert ids(door, table) == [0, 2, 4, 6, 8]
    assert ids(door, other) == [1, 3, 5, 7]
    door.execute(f"DROP TABLE {other}")


def test_one_bad_row_fails_its_own_statement(box, connect, table):
    statements = [(f"INSERT INTO {table} (id) VALUES (1)", None),
                  (f"INSERT INTO {table} (id) VALUES (2), (NULL)", errors.NotNullViolation),
                  (f"INSERT INTO {table} (id) VALUES (3), ('three')", errors.InvalidTextRepresentation),
                  (f"INSERT INTO {table} (id) VALUES (4 / 0)", errors.DivisionByZero),
                  (f"INSERT INTO {table} (id) VALUES (99999999999)", errors.NumericValueOutOfRange),
                  (f"INSERT INTO {table} (nobody) VALUES (5)", errors.UndefinedColumn),
                  (f"INSERT INTO {table} (id) VALUES (6)", None)]
    clients = [connect() for _ in statements]
    running = [Background(client.execute, statement) for client, (statement, _) in zip(clients, statements, strict=True)]
    for one, (statement, error) in zip(running, statements, strict=True):
        if error is None:
            one.outcome()
            continue
        with pytest.raises(error) as gathered:
            one.outcome()
        alone = connect()
        alone.execute("SET boathouse.group_commit = off")
        with pytest.raises(error) as by_itself:
            alone.execute(statement)
        assert str(gathered.value) == str(by_itself.value)
    assert ids(clients[0], table) == [1, 6]


COLUMNS = {"flag": "boolean", "small": "smallint", "plain": "integer", "big": "bigint", "single": "real",
           "twice": "double precision", "exact": "numeric(12,3)", "words": "text", "raw": "bytea", "day": "date",
           "hour": "time", "moment": "timestamp", "instant": "timestamptz", "span": "interval", "key": "uuid",
           "tree": "json", "list": "integer[]"}
GIVEN = [[True, 1, -2, 3, 1.5, 2.5, Decimal("12345.678"), "ein Wort, länger als zwölf Zeichen", b"\x00\xff",
          date(2026, 11, 23), time(1, 2, 3, 4), datetime(2026, 1, 1, 12), datetime(2026, 1, 1, 12, tzinfo=UTC),
          timedelta(days=2, seconds=3), UUID(int=7), Json({"a": [1]}), [1, None, 3]],
         [None] * len(COLUMNS),
         ["f", "7", "8", "9", "1e3", "nan", "0.5", "", b"", "1999-12-31", "23:59", "1970-01-01", "1970-01-01 00:00+01",
          "1 day", str(UUID(int=9)), "[]", "{}"]]


@pytest.mark.parametrize(("row", "binary"), [(0, False), (0, True), (1, False), (2, False)])
def test_parameters_mean_what_they_mean_alone(box, connect, row, binary):
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    marks = ", ".join(["%b" if binary else "%t"] * len(COLUMNS))
    gathering, alone = connect(), connect()
    gathering.execute("SET TimeZone = 'Europe/Berlin'")
    alone.execute("SET TimeZone = 'Europe/Berlin'; SET boathouse.group_commit = off")
    before = counter(box, "statements_total")
    found = []
    for name, client in (("typed_gathered", gathering), ("typed_alone", alone)):
        client.execute(f"CREATE TABLE {name} ({columns}, fixed text, later integer DEFAULT 42)")
        statement = f"INSERT INTO {name} ({', '.join(COLUMNS)}, fixed) VALUES ({marks}, 'constant')"
        for _ in range(3):
            client.execute(statement, GIVEN[row], prepare=True)
        found.append(alone.execute(f"SELECT {', '.join(COLUMNS)}, fixed, later FROM {name}").fetchall())
        client.execute(f"DROP TABLE {name}")
    assert counter(box, "statements_total") == before + 3
    assert repr(found[0]) == repr(found[1])  # so that NaN is itself
    assert len(found[0]) == 3 and found[0][0][-2:] == ("constant", 42)


@pytest.mark.parametrize("values", [("x", "text"), ("99999999999", "text"), (None, "text"), ("1", "te\\x00")])
def test_bad_parameters_fail_as_they_do_alone(connect, table, values):
    messages = []
    for setting in ("on", "off"):
        client = connect()
        client.execute(f"SET boathouse.group_commit = {setting}")
        statement = f"INSERT INTO {table} (id, name) VALUES (%t, %t)"
        client.execute(statement, ("5", "a"), prepare=True)
        try:
            client.execute(statement, values, prepare=True)
            messages.append(None)
        except psycopg.Error as error:
            messages.append((type(error), str(error)))
        client.execute(statement, ("6", "b"), prepare=True)
    assert messages[0] == messages[1]
    assert ids(connect(), table) == [*([] if messages[0] else [int(values[0])] * 2), 5, 5, 6, 6]


def test_a_pipelining_client_is_answered_in_order(connect, table):
    client = connect()
    statement = f"INSERT INTO {table} (id, name) VALUES (%s, %s)"
    client.execute(statement, (0, "first"), prepare=True)
    with client.pipeline() as pipeline:
        for n in range(1, 40):
            client.execute(statement, (n, "more"), prepare=True)
            if n % 3 == 0:
                pipeline.sync()
    assert ids(client, table) == list(range(40))


def test_answered_rows_are_seen_by_all(door, connect, direct, table):
    other = connect()
    for n in range(10):
        door.execute(f"INSERT INTO {table} (id) VALUES (%s)", (n,), prepare=True)
        assert ids(other, table) == list(range(n + 1))
        assert direct.execute(f"SELECT count(*) FROM {table}").fetchone() == (n + 1,)


def test_a_clients_rows_keep_their_order(connect, direct, table):
    def write(client, number):
        for n in range(20):
            client.execute(f"INSERT INTO {table} (id, name) VALUES (%s, %s)", (n, str(number)), prepare=True)

    for one in [Background(write, connect(), number) for number in range(8)]:
        one.outcome()
    rows = direct.execute(f"SELECT name, list(id ORDER BY rowid) FROM {table} GROUP BY name").fetchall()
    assert sorted(rows) == [(str(number), list(range(20))) for number in range(8)]


# ---------------------------------------------------------------- pipelines

def test_a_pipeline_is_one_snapshot(box, door, table):
    before, members = counter(box, "batches_total"), counter(box, "statements_total")
    with door.pipeline():
        for n in range(5):
            door.execute(f"INSERT INTO {table} (id) VALUES (%s)", (n,))
    assert ids(door, table) == [0, 1, 2, 3, 4]
    assert counter(box, "batches_total") == before + 1
    assert counter(box, "statements_total") == members + 1


def test_a_pipeline_is_written_whole_or_not_at_all(door, table):
    with pytest.raises(errors.NotNullViolation), door.pipeline():
        door.execute(f"INSERT INTO {table} (id) VALUES (1)")
        door.execute(f"INSERT INTO {table} (id) VALUES (NULL)")
        door.execute(f"INSERT INTO {table} (id) VALUES (3)")
    assert ids(door, table) == []


def test_a_pipeline_sees_its_own_rows(door, table):
    with door.pipeline():
        door.execute(f"INSERT INTO {table} (id) VALUES (1)")
        door.execute(f"INSERT INTO {table} (id) VALUES (2)")
        seen = door.execute(f"SELECT count(*) FROM {table}")
        door.execute(f"INSERT INTO {table} (id) VALUES (3)")
    assert seen.fetchone() == (2,)
    assert ids(door, table) == [1, 2, 3]


def test_a_script_is_one_transaction(box, door, table):
    before = counter(box, "batches_total")
    door.execute(f"INSERT INTO {table} (id) VALUES (1); INSERT INTO {table} (id) VALUES (2)")
    assert counter(box, "batches_total") == before + 1
    with pytest.raises(errors.DivisionByZero):
        door.execute(f"INSERT INTO {table} (id) VALUES (3); INSERT INTO {table} (id) VALUES (4 / 0)")
    door.execute(f"INSERT INTO {table} (id) VALUES (5); BEGIN; INSERT INTO {table} (id) VALUES (6)")
    door.execute("ROLLBACK")
    assert ids(door, table) == [1, 2]


# ------------------------------------------------------- schema, cancel, end

def test_a_table_that_has_changed(door, direct, table):
    insert = f"INSERT INTO {table} (id) VALUES (%s)"
    door.execute(insert, (1,), prepare=True)
    direct.execute(f"ALTER TABLE {table} ADD COLUMN city VARCHAR DEFAULT 'Basel'")
    door.execute(insert, (2,), prepare=True)
    direct.execute(f"ALTER TABLE {table} DROP COLUMN name")
    door.execute(insert, (3,), prepare=True)
    assert door.execute(f"SELECT id, city FROM {table} ORDER BY id").fetchall() == [(1, "Basel"), (2, "Basel"), (3, "Basel")]
    direct.execute(f"DROP TABLE {table}")
    with pytest.raises(errors.UndefinedTable):
        door.execute(insert, (4,), prepare=True)
    direct.execute(f"CREATE TABLE {table} (id BIGINT, more INTEGER)")
    door.execute(insert, (5,), prepare=True)
    assert ids(door, table) == [5]


@pytest.mark.parametrize("prepare", [True, False])
def test_a_pipeline_on_a_table_that_has_changed(door, direct, table, prepare):
    insert = f"INSERT INTO {table} (id) VALUES (%s)"
    for number, change in enumerate(["ADD COLUMN city VARCHAR DEFAULT 'Basel'", "DROP COLUMN name", "RENAME city TO town"]):
        door.execute(insert, (10 * number,), prepare=prepare)
        direct.execute(f"ALTER TABLE {table} {change}")
        with door.pipeline():
            for n in range(1, 4):
                door.execute(insert, (10 * number + n,), prepare=prepare)
    assert ids(door, table) == [10 * number + n for number in range(3) for n in range(4)]
    direct.execute(f"ALTER TABLE {table} DROP COLUMN town")
    door.execute("; ".join(f"INSERT INTO {table} (id) VALUES ({n})" for n in (40, 41)))
    assert ids(door, table)[-2:] == [40, 41]


def test_columns_come_while_others_write(connect, direct, table):
    def write(client, number):
        for n in range(25):
            client.execute(f"INSERT INTO {table} (id) VALUES (%s)", (100 * number + n,), prepare=True)

    def alter(n):  # as applications do: who commits second has written nothing, and tries again
        while True:
            try:
                return direct.execute(f"ALTER TABLE {table} ADD COLUMN more_{n} INTEGER DEFAULT {n}")
            except duckdb.TransactionException:
                continue

    writers = [Background(write, connect(), number) for number in range(4)]
    for n in range(4):
        alter(n)
    for one in writers:
        one.outcome()
    written = sorted(100 * number + n for number in range(4) for n in range(25))
    assert ids(connect(), table) == written


@pytest.mark.parametrize("prepare", [False, True])
def test_who_waits_can_be_cancelled(box, connect, door, table, prepare):
    waiting, hurried, vanishing = connect(), connect(options="-c statement_timeout=300"), connect()
    insert = f"INSERT INTO {table} (id) VALUES (%s)"
    for client in (waiting, hurried):
        client.execute(insert, (0,), prepare=prepare)
    door.execute(f"DELETE FROM {table}")
    with commits_held(box):
        first = Background(connect().execute, f"INSERT INTO {table} (id) VALUES (1)")
        wait_for(lambda: waiting_locks(box) > 0, "the first commit")
        second = Background(lambda: waiting.execute(insert, (2,), prepare=prepare))
        wait_for(lambda: counter(box, "waiting") == 1, "the second statement")
        waiting.cancel()
        with pytest.raises(errors.QueryCanceled):
            second.outcome()
        with pytest.raises(errors.QueryCanceled, match="statement timeout"):
            hurried.execute(insert, (3,), prepare=prepare)
        vanishing.pgconn.send_query(f"INSERT INTO {table} (id) VALUES (4)".encode())
        wait_for(lambda: counter(box, "waiting") == 1, "the fourth statement")
        vanishing.close()
        wait_for(lambda: counter(box, "waiting") == 0, "the fourth client's end")
        # What is being committed is past cancelling: its answer is the commit's.
        assert first.is_alive()
    first.outcome()
    assert ids(door, table) == [1]
    waiting.execute(insert, (5,), prepare=prepare)
    assert ids(door, table) == [1, 5]


def test_a_copy_that_waits_can_be_cancelled(box, connect, door, table):
    waiting = connect()
    with commits_held(box):
        first = Background(connect().execute, f"INSERT INTO {table} (id) VALUES (1)")
        wait_for(lambda: waiting_locks(box) > 0, "the first commit")
        second = Background(copy, waiting, table, [(2, "b")])
        wait_for(lambda: counter(box, "waiting") == 1, "the copy")
        waiting.cancel()
        with pytest.raises(errors.QueryCanceled):
            second.outcome()
    first.outcome()
    assert copy(waiting, table, [(3, "c")]) == 1
    assert ids(door, table) == [1, 3]


def test_waiting_statements_leave_readers_their_threads(box, connect, door, table):
    clients = [connect() for _ in range(40)]
    with commits_held(box):
        running = [Background(client.execute, f"INSERT INTO {table} (id) VALUES (1)") for client in clients]
        wait_for(lambda: counter(box, "waiting") >= 32, "more writers than threads")
        assert door.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    for one in running:
        one.outcome()
    assert len(ids(door, table)) == 40


def test_read_only_sessions_write_nothing(connect, table):
    reader = connect(options="-c default_transaction_read_only=on")
    with pytest.raises(errors.ReadOnlySqlTransaction):
        reader.execute(f"INSERT INTO {table} (id) VALUES (1)")


def test_stopping_keeps_what_was_answered(new_box):
    box = new_box()
    where = door_of(box)
    with psycopg.connect(where, autocommit=True) as owner:
        owner.execute("CREATE TABLE kept (writer int, n int)")

    def write(writer) -> int:
        answered = 0
        try:
            with psycopg.connect(where, autocommit=True) as client:
                while True:
                    client.execute("INSERT INTO kept VALUES (%s, %s)", (writer, answered), prepare=True)
                    answered += 1
        except psycopg.OperationalError:
            return answered

    writers = [Background(write, number) for number in range(8)]
    wait_for(lambda: counter(box, "rows_total") > 100, "some rows")
    box.restart()
    answered = {number: one.outcome() for number, one in enumerate(writers)}
    with psycopg.connect(where, autocommit=True) as reader:
        rows = dict(reader.execute("SELECT writer, count(*) FROM kept GROUP BY writer").fetchall())
        assert reader.execute("SELECT count(*) - count(DISTINCT (writer, n)) FROM kept").fetchone() == (0,)
    assert all(answered[number] <= rows.get(number, 0) <= answered[number] + 1 for number in answered)
