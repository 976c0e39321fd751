"""Writers and readers of every door, each on a thread of its own, until they are told to stop.

Every failure that a driver reports is met alike: what was under way is not acknowledged, the client connects anew and goes on.
A request over HTTP is the exception: it carries a key, and is sent again until it is answered.
"""

import http.client
import itertools
import json
import random
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import psycopg
from gathering import Background, door_of
from history import History, Statement
from http_client import NDJSON, SQL, Client

PAUSE_SECONDS = 0.1
TABLES = ("entries", "filed")  # rows of the first are inlined, of the second in a file each commit
WRITTEN = "writer, number"
QUESTION = ("SELECT writer, max(number), count(*), count(DISTINCT number) FROM (SELECT writer, number FROM entries UNION ALL "
            "SELECT writer, number FROM filed) AS written GROUP BY writer")
FAILURES = (psycopg.Error, duckdb.Error, OSError, http.client.HTTPException)


@dataclass
class Ways:
    """How clients reach the box: a door's address is libpq's parameters."""
    door: str
    http: Client
    direct: Callable[[], duckdb.DuckDBPyConnection]  # attached as "lake", and in use


class Stop:
    """All clients' end, and their pauses: while nobody writes, questions come again on one snapshot."""

    def __init__(self):
        self.done = threading.Event()
        self.may_write = threading.Event()
        self.may_write.set()


# ------------------------------------------------------------------ writers: (connection, table, rows) -> None, or raise

def by_text(door, table, rows):
    values = ", ".join(f"({writer}, {number})" for writer, number in rows)
    door.execute(f"INSERT INTO {table} ({WRITTEN}) VALUES {values}", prepare=False)


def prepared(door, table, rows):
    places = ", ".join("(%s, %s)" for _ in rows)
    door.execute(f"INSERT INTO {table} ({WRITTEN}) VALUES {places}", [value for row in rows for value in row], prepare=True)


def in_a_pipeline(door, table, rows):
    with door.pipeline():
        for row in rows:
            door.execute(f"INSERT INTO {table} ({WRITTEN}) VALUES (%s, %s)", row, prepare=True)


def in_a_transaction(door, table, rows):
    with door.transaction():
        for row in rows:
            door.execute(f"INSERT INTO {table} ({WRITTEN}) VALUES (%s, %s)", row)


def by_copy(door, table, rows):
    with door.cursor() as cursor, cursor.copy(f"COPY {table} ({WRITTEN}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def directly(lake, table, rows):
    values = ", ".join(f"({writer}, {number})" for writer, number in rows)
    lake.execute(f"INSERT INTO {table} ({WRITTEN}) VALUES {values}")


DOOR_WAYS = (prepared, by_text, in_a_pipeline, prepared, in_a_transaction, by_copy)


class Writers:
    """`door` writers at the SQL door, `http` at the HTTP door, `direct` DuckDB clients: numbered in this order."""

    def __init__(self, history: History, ways: Ways, stop: Stop, seed: int, door: int, http: int, direct: int):
        self.history, self.ways, self.stop, self.seed = history, ways, stop, seed
        kinds = [self._by_connection(DOOR_WAYS[number % len(DOOR_WAYS)], self._door) for number in range(door)]
        kinds += [self._by_http] * http
        kinds += [self._by_connection(directly, ways.direct)] * direct
        self.threads = [Background(kind, number) for number, kind in enumerate(kinds)]

    def _door(self) -> psycopg.Connection:
        return psycopg.connect(self.ways.door, autocommit=True, connect_timeout=30)

    def _next(self, writer: int, dice: random.Random) -> tuple[Statement, str, list[tuple[int, int]]]:
        statement = self.history.send(writer, dice.choice((1, 1, 1, 2, 5)))
        numbers = range(statement.first, statement.first + statement.count)
        # Every third writer's rows go into files: enough of them to fail with the store.
        return statement, TABLES[writer % 3 == 2], [(writer, number) for number in numbers]

    def _by_connection(self, write, connect):
        def run(writer: int) -> None:
            dice = random.Random(f"{self.seed} {writer}")
            connection = None
            while not self.stop.done.is_set():
                self.stop.may_write.wait()
                try:
                    connection = connection or connect()
                except FAILURES:
                    self.stop.done.wait(PAUSE_SECONDS)
                    continue
                statement, table, rows = self._next(writer, dice)
                try:
                    write(connection, table, rows)
                    self.history.acknowledge(writer, statement)
                except FAILURES:
                    close(connection)
                    connection = None
                    self.stop.done.wait(PAUSE_SECONDS)
            close(connection)

        return run

    def _by_http(self, writer: int) -> None:
        dice = random.Random(f"{self.seed} {writer}")
        while not self.stop.done.is_set():
            self.stop.may_write.wait()
            statement, table, rows = self._next(writer, dice)
            body = "".join(json.dumps({"writer": writer, "number": number}) + "\n" for writer, number in rows)
            key = str(uuid.uuid4())
            while not self._sent(table, body, key):
                if self.stop.done.wait(PAUSE_SECONDS):
                    return
            self.history.acknowledge(writer, statement)

    def _sent(self, table: str, body: str, key: str) -> bool:
        try:
            return self.ways.http.ingest(table, body, NDJSON, Idempotency_Key=key).status == 200
        except FAILURES:
            return False


class Readers:
    """They ask the same question again and again; every third at the SQL door in other words each time, so that no answer is
    kept, though the tables may be."""

    def __init__(self, history: History, ways: Ways, stop: Stop, door: int, http: int, direct: int):
        self.history, self.ways, self.stop = history, ways, stop
        self.threads = [Background(self._by_connection, self._door, f"reader {number} of the SQL door", number % 2 == 1,
                                   number % 3 == 2) for number in range(door)]
        self.threads += [Background(self._by_http, f"reader {number} of the HTTP door") for number in range(http)]
        self.threads += [Background(self._by_connection, ways.direct, f"direct reader {number}", False)
                         for number in range(direct)]

    def _door(self) -> psycopg.Connection:
        return psycopg.connect(self.ways.door, autocommit=True, connect_timeout=30)

    def _by_connection(self, connect, name: str, prepare: bool, differs: bool = False) -> None:
        connection, asked = None, itertools.count()
        while not self.stop.done.is_set():
            floors = self.history.floors()
            try:
                connection = connection or connect()
                options = {"prepare": prepare} if isinstance(connection, psycopg.Connection) else {}
                words = f"{QUESTION} -- {next(asked)} of {name}" if differs else QUESTION
                answer = connection.execute(words, **options).fetchall()
                self.history.judge(name, floors, answer)
            except FAILURES:
                close(connection)
                connection = None
                self.stop.done.wait(PAUSE_SECONDS)
        close(connection)

    def _by_http(self, name: str) -> None:
        while not self.stop.done.is_set():
            floors = self.history.floors()
            try:
                answer = self.ways.http.request("POST", "/v1/sql", QUESTION.encode(), {"Content-Type": SQL})
                if answer.status == 200:
                    self.history.judge(name, floors, [tuple(row.values()) for row in answer.json])
                    continue
            except FAILURES:
                pass
            self.stop.done.wait(PAUSE_SECONDS)


def close(connection) -> None:
    try:
        if connection is not None:
            connection.close()
    except FAILURES:
        pass


def make_tables(box, direct) -> None:
    """And the option that makes the second table's rows files."""
    with psycopg.connect(door_of(box), autocommit=True) as owner:
        for table in TABLES:
            owner.execute(f"CREATE TABLE {table} (writer int NOT NULL, number bigint NOT NULL)")
    lake = direct()
    lake.execute("CALL lake.set_option('data_inlining_row_limit', 0, table_name => 'filed')")
    lake.close()


def all_rows(box) -> list[tuple[int, int]]:
    with psycopg.connect(door_of(box), autocommit=True) as owner:
        owner.execute("SET boathouse.cache = off")
        return [row for table in TABLES for row in owner.execute(f"SELECT writer, number FROM {table}").fetchall()]
