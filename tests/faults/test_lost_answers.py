"""A COMMIT whose answer is lost: the catalog has it, and DuckLake takes it for failed. No file that it refers to is removed."""

import contextlib
import socket
import threading
import time

import psycopg
import pytest
from box_process import Box
from plain_postgres import PlainPostgres

COMMITS = b'INSERT INTO "public".ducklake_snapshot VALUES'
ANSWER = b"COMMIT\0"
QUESTION = b"COMMIT"


class Cutter:
    """Stands before a PostgreSQL; once armed, it closes the next connection that commits a snapshot: before the answer,
    or as soon as the server has been asked to commit."""

    def __init__(self, port: int):
        self.server_port, self.armed, self.waits, self.cuts = port, False, True, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.server_port))
                commits = threading.Event()
                for ends in ((client, server, commits, False), (server, client, commits, True)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, begin: socket.socket, end: socket.socket, commits: threading.Event, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := begin.recv(65536):
                if not answers and self.armed and COMMITS in data:
                    commits.set()
                ends = commits.is_set() and (answers == self.waits) and (ANSWER if answers else QUESTION) in data
                if ends:
                    self.armed, self.cuts = False, self.cuts + 1
                if not (ends and answers):
                    end.sendall(data)
                if ends:
                    break
        for side in (begin, end):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def cut_off(boathouse):
    """A box, and the Cutter before its catalog."""
    server = PlainPostgres()
    box = None
    try:
        server.start()
        server.execute("CREATE ROLE cloud LOGIN CREATEROLE PASSWORD 'cloud'", "CREATE DATABASE leased OWNER cloud")
        cutter = Cutter(server.port)
        box = Box(boathouse, settings={"BOATHOUSE_CATALOG": f"postgresql://cloud:cloud@127.0.0.1:{cutter.port}/leased"})
        yield box.start(), cutter
    finally:
        if box is not None:
            box.discard()
        server.discard()


def connect(box) -> psycopg.Connection:
    return psycopg.connect(host=box.host, port=box.sql_port, user="cloud", password="cloud", dbname="lake", autocommit=True)


def data_files(box) -> set:
    return set((box.data_dir / "lake").rglob("*.parquet"))


def check_committed(box) -> None:
    """The table has the 1,000 rows of the commit that nobody heard of."""
    box.expect(".*")  # what it says about the connection that was lost
    deadline = time.monotonic() + 60
    while not box.is_ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with connect(box) as door:
        assert door.execute("SELECT count(*), sum(i) FROM t").fetchone() == (1000, 499500)
    assert len(data_files(box)) == 1


def test_no_committed_file_is_removed(cut_off):
    box, cutter = cut_off
    with connect(box) as door:
        door.execute("CREATE TABLE t (i INTEGER)")
        door.execute("BEGIN")
        door.execute("INSERT INTO t SELECT range FROM range(1000)")
        door.execute("ROLLBACK")
        assert data_files(box) == set(), "what was rolled back has left nothing"
        cutter.armed = True
        with pytest.raises(psycopg.Error):
            door.execute("INSERT INTO t SELECT range FROM range(1000)")
        assert cutter.cuts == 1
    check_committed(box)


def test_no_file_is_removed_that_the_server_is_still_committing(cut_off):
    box, cutter = cut_off
    with connect(box) as door:
        door.execute("CREATE TABLE t (i INTEGER)")
        with psycopg.connect(host="127.0.0.1", port=cutter.server_port, user="cloud", password="cloud", dbname="leased",
                             autocommit=True) as catalog:
            catalog.execute("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
                            "'BEGIN PERFORM pg_sleep(3); RETURN NULL; END'")
            catalog.execute("CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON ducklake_snapshot DEFERRABLE INITIALLY DEFERRED "
                            "FOR EACH ROW EXECUTE FUNCTION wait()")
        cutter.armed, cutter.waits = True, False
        with pytest.raises(psycopg.Error):
            door.execute("INSERT INTO t SELECT range FROM range(1000)")
        assert cutter.cuts == 1
    check_committed(box)
