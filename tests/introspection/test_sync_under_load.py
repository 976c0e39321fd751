"""DDL from direct clients and from the SQL door at once: whenever everybody pauses, the mirror equals the lake.

Each worker's statements come from the seed; who wins a race they do not. A statement may fail: its table is not there, its commit
collides. What counts is that the mirror shows exactly what was committed, by whomever. Each worker keeps to schemas of its own,
for DuckLake's clients can leave a lake of their own making when they change the same table at once; with
BOATHOUSE_MIRROR_LOAD_SECONDS it is longer, and all share all schemas. BOATHOUSE_MIRROR_LOAD_SEED repeats one.
"""

import itertools
import os
import random
import threading
import time

import duckdb
import psycopg
import pytest
from box_process import running
from direct_client import attached
from lake_picture import differences, of_the_lake, of_the_mirror, quoted

TOGETHER = "BOATHOUSE_MIRROR_LOAD_SECONDS" in os.environ
SECONDS = float(os.environ.get("BOATHOUSE_MIRROR_LOAD_SECONDS", "0"))
SEED = int(os.environ.get("BOATHOUSE_MIRROR_LOAD_SEED", "20261123"))
ROUND_SECONDS, ROUND_BLOCKS, ROUNDS = 5, 12, 3  # without an environment variable, by count
DIRECT_CLIENTS, DOOR_CLIENTS = 2, 2

SCHEMAS = [["main", "shop"], ['Odd "one"', "select"], ["two", "ünï"], ["three", "Four"]]  # of each worker
TABLES = ["orders", "Mixed Case", "select", "größe; DROP", "pg_class", "x" * 70, "x" * 70 + "y", 'a"b\'c']
VIEWS = ["all_of_it", "View two"]
MACROS = ["twice", "Rows Of"]
COLUMNS = ["From", "ünï", "d'e"]  # and "a", a number: PostgreSQL reads its defaults, whatever they are
TYPES = ["INTEGER", "BIGINT", "VARCHAR", "DECIMAL(10,2)", "DOUBLE", "DATE", "BOOLEAN", "UUID", "INTEGER[]", "JSON", "BLOB"]
COMMENTS = ["NULL", "'plain'", "'with ''quotes'' and \\ and ü'", "''"]


class Statements:
    """Endless statements, the same for the same seed. A direct client's DuckDB breaks, and takes the process with it, when it
    comments on a column that is not there: DuckLake takes that for an internal error. So it comments on tables only."""

    def __init__(self, number: int, comments_on: list[str]):
        self.random = random.Random(f"{SEED} {number}")
        self.schemas = list(itertools.chain(*SCHEMAS)) if TOGETHER else SCHEMAS[number]
        self.comments_on = comments_on

    def table(self) -> str:
        return quoted(self.random.choice(self.schemas), self.random.choice(TABLES))

    def column(self) -> str:
        return quoted(self.random.choice(COLUMNS))

    def definition(self, column: str) -> str:
        if column == "a":
            return f"a {self.random.choice(['INTEGER', 'BIGINT DEFAULT 7', 'INTEGER NOT NULL'])}"
        return f"{quoted(column)} {self.random.choice(TYPES)}{self.random.choice(['', '', ' NOT NULL'])}"

    def create_table(self) -> str:
        columns = ["a", *self.random.sample(COLUMNS, self.random.randint(0, len(COLUMNS)))]
        return f"CREATE TABLE {self.table()} ({', '.join(self.definition(column) for column in columns)})"

    def alter_table(self) -> str:
        change = self.random.choice([
            f"ADD COLUMN {self.column()} {self.random.choice(TYPES)}", f"DROP COLUMN {self.column()}",
            f"RENAME COLUMN {self.column()} TO {self.column()}", "ALTER COLUMN a TYPE BIGINT",
            f"ALTER COLUMN a SET DEFAULT {self.random.randint(1, 9)}", "ALTER COLUMN a SET DEFAULT NULL",
            f"ALTER COLUMN {self.random.choice(['a', self.column()])} DROP NOT NULL",
            f"RENAME TO {quoted(self.random.choice(TABLES))}"])
        return f"ALTER TABLE {self.table()} {change}"

    def partition(self) -> str:
        return f"ALTER TABLE {self.table()} {self.random.choice(['SET PARTITIONED BY (a)', 'RESET PARTITIONED BY'])}"

    def comment(self) -> str:
        what = {"TABLE": self.table(), "COLUMN": f"{self.table()}.{self.column()}",
                "VIEW": quoted(self.random.choice(self.schemas), self.random.choice(VIEWS))}
        kind = self.random.choice(self.comments_on)
        return f"COMMENT ON {kind} {what[kind]} IS {self.random.choice(COMMENTS)}"

    def view(self) -> str:
        view = quoted(self.random.choice(self.schemas), self.random.choice(VIEWS))
        if self.random.random() < 0.2:
            return f"DROP VIEW {view}"
        return f"CREATE OR REPLACE VIEW {view} AS SELECT *, 'it''s' AS said FROM {self.table()}"

    def macro(self) -> str:
        """A macro that one client makes in a schema that another drops breaks the lake: DuckLake cannot load it any more."""
        macro = quoted("main" if TOGETHER else self.random.choice(self.schemas), self.random.choice(MACROS))
        return self.random.choice([f"CREATE MACRO {macro}(x) AS x * 2", f"CREATE MACRO {macro}() AS TABLE SELECT 1 AS one",
                                   f"CREATE MACRO {macro}(x, y := 3) AS x + y", f"DROP MACRO {macro}"])

    def schema(self) -> str:
        schema = self.random.choice(["public" if schema == "main" else schema for schema in self.schemas])
        if self.random.random() < (0.7 if schema == "public" else 0.3):
            return f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE"
        return f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}"

    def one(self) -> str:
        kinds = {self.create_table: 6, self.alter_table: 8, self.comment: 3, self.view: 3, self.macro: 2, self.schema: 1,
                 self.partition: 2, lambda: f"DROP TABLE {self.table()}": 2, lambda: f"INSERT INTO {self.table()} (a) VALUES (1)": 2}
        return self.random.choices(list(kinds), list(kinds.values()))[0]()

    def block(self) -> list[str]:
        """What is done at once: mostly a statement, sometimes a transaction, which may be rolled back."""
        if self.random.random() < 0.75:
            return [self.one()]
        return ["BEGIN", *(self.one() for _ in range(self.random.randint(2, 4))), self.random.choice(["COMMIT", "COMMIT", "ROLLBACK"])]


class Worker:
    """A client in a thread of its own, which works while `working` is set."""

    def __init__(self, statements: Statements, execute, failure: type[Exception]):
        self.statements, self.execute, self.failure = statements, execute, failure
        self.done, self.refused = 0, []
        self.broken: Exception | None = None

    def work(self, working: threading.Event) -> None:
        try:
            for _ in itertools.count() if TOGETHER else range(ROUND_BLOCKS):
                if not working.is_set():
                    break
                self.attempt(self.statements.block())
        except Exception as error:
            self.broken = error

    def attempt(self, block: list[str]) -> None:
        try:
            for statement in block:
                self.execute(statement)
            self.done += 1
        except self.failure as error:
            self.refused.append((block, str(error)))
            if len(block) > 1:
                try:
                    self.execute("ROLLBACK")
                except self.failure:
                    pass  # the failed COMMIT has ended it


@pytest.fixture(scope="module")
def load_box(boathouse):
    with running(boathouse) as box:
        yield box


def door_of(box) -> dict:
    return {"host": box.host, "port": box.sql_port, "user": box.user, "password": box.password, "dbname": "lake"}


def run_round(workers: list[Worker], door: psycopg.Connection) -> int:
    """Everybody works, and somebody asks the system catalogs all the time; the number of answers."""
    working = threading.Event()
    working.set()
    threads = [threading.Thread(target=worker.work, args=(working,)) for worker in workers]
    for thread in threads:
        thread.start()
    answers, end = 0, time.monotonic() + ROUND_SECONDS
    try:
        while time.monotonic() < end if TOGETHER else any(thread.is_alive() for thread in threads):
            door.execute("SELECT count(*) FROM information_schema.columns").fetchall()
            answers += 1
    finally:
        working.clear()
        for thread in threads:
            thread.join()
    return answers


@pytest.mark.timeout(300 + 2 * SECONDS)
def test_at_every_pause_the_mirror_equals_the_lake(load_box, duckdb_home):
    print(f"seed {SEED}")
    box = load_box
    reader = attached(box, duckdb_home)
    with psycopg.connect(**door_of(box), autocommit=True) as door:
        doors = [psycopg.connect(**door_of(box), autocommit=True) for _ in range(DOOR_CLIENTS)]
        direct = [attached(box, duckdb_home) for _ in range(DIRECT_CLIENTS)]
        for schema in itertools.chain(*SCHEMAS):
            door.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        workers = [Worker(Statements(n, ["TABLE", "VIEW"]), client.execute, duckdb.Error) for n, client in enumerate(direct)]
        workers += [Worker(Statements(DIRECT_CLIENTS + n, ["TABLE", "VIEW", "COLUMN"]), client.execute, psycopg.Error)
                    for n, client in enumerate(doors)]
        began, pauses, answers = time.monotonic(), 0, 0
        while time.monotonic() - began < SECONDS or pauses < ROUNDS:
            answers += run_round(workers, door)
            for worker in workers:
                assert worker.broken is None, worker.broken
            differing = differences(of_the_mirror(door), of_the_lake(reader))
            assert not differing, f"seed {SEED}, after {time.monotonic() - began:.1f} s:\n" + "\n".join(differing)
            pauses += 1
        for connection in (reader, *doors, *direct):
            connection.close()
    assert answers > 0 and sum(worker.done for worker in workers) > 0
    print(f"{pauses} pauses, {answers} answers, done {[worker.done for worker in workers]}, "
          f"refused {[len(worker.refused) for worker in workers]}")
