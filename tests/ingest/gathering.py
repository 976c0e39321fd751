"""What the tests of group commit share: waiting for a state, holding the lake's commits, doing things at once."""

import contextlib
import threading
import time

import psycopg

WAIT_SECONDS = 120


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still waiting: {what}"
        time.sleep(0.01)


def metric(box, name: str) -> float:
    """boathouse_<name>, as /metrics has it."""
    for line in box.http("/metrics")[1].splitlines():
        if line.startswith(f"boathouse_{name} "):
            return float(line.split()[1])
    raise AssertionError(f"/metrics has no boathouse_{name}")


def counter(box, name: str) -> float:
    """boathouse_group_commit_<name>."""
    return metric(box, f"group_commit_{name}")


def door_of(box) -> str:
    return f"host={box.host} port={box.sql_port} user={box.user} password={box.password} dbname=lake"


def waiting_locks(box) -> int:
    """How many wait for a lock in the catalog's PostgreSQL."""
    with psycopg.connect(box.dsn, autocommit=True) as catalog:
        return catalog.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()[0]


@contextlib.contextmanager
def commits_held(box):
    """Nobody commits to the lake meanwhile: whoever tries waits for PostgreSQL's lock."""
    with psycopg.connect(box.dsn) as catalog:
        catalog.execute("LOCK TABLE ducklake_snapshot IN SHARE ROW EXCLUSIVE MODE")
        yield
        catalog.rollback()


class Background(threading.Thread):
    """A function on a thread of its own; join() gives its result or raises what it raised."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self.function, self.arguments, self.result, self.error = function, arguments, None, None
        self.start()

    def run(self):
        try:
            self.result = self.function(*self.arguments)
        except Exception as error:
            self.error = error

    def outcome(self):
        self.join(WAIT_SECONDS)
        assert not self.is_alive(), "still running"
        if self.error:
            raise self.error
        return self.result
