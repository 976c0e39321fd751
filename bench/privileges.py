"""What it costs a SELECT on a small table that its privileges are checked.

One box, its lake a table of 10 rows. The statement is asked again and again, kept answers off, by the lake's owner and by
a role that has nothing but SELECT on two columns; the arms take turns. What the check costs the statement is what the
engine itself counts between two statements' numbers at /metrics: announcing the statement, reading off its plan what it
needs, and judging that. The rest of the statement's time stands beside it, as its client sees it. A third arm has another
client that commits to the lake meanwhile, so that whoever asks has to read the privileges again.

    bench/privileges.py [--statements 2000] [--rounds 5]
"""

import argparse
import contextlib
import statistics
import threading
import time

import psycopg
import setting

PASSWORD = "a password of its own"
STATEMENT = "SELECT id, amount FROM small"


class Counted:
    """The engine's counters of privilege checks, as differences. A scrape is shared for five seconds: not this part."""

    def __init__(self, box):
        self.box = box
        self.last = self.read()

    def read(self) -> tuple[float, float]:
        lines = dict(line.rsplit(" ", 1) for line in self.box.http("/metrics")[1].splitlines() if not line.startswith("#"))
        return float(lines["boathouse_privilege_checks_total"]), float(lines["boathouse_privilege_check_seconds_total"])

    def lap(self) -> float:
        """Microseconds a check since the last lap."""
        before, self.last = self.last, self.read()
        return 1e6 * (self.last[1] - before[1]) / max(1, self.last[0] - before[0])


def connect(box, user: str, password: str) -> psycopg.Connection:
    connection = psycopg.connect(host=box.host, port=box.sql_port, user=user, password=password, dbname="lake", autocommit=True)
    connection.prepare_threshold = None  # planned each time
    connection.execute("SET boathouse.cache = off")
    return connection


@contextlib.contextmanager
def committing(box, every_ms: int):
    """Another client commits to another table now and then."""
    ended = threading.Event()

    def commit() -> None:
        with connect(box, box.user, box.password) as connection:
            while not ended.wait(every_ms / 1000):
                connection.execute("INSERT INTO other VALUES (1)")

    thread = threading.Thread(target=commit)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def ask(connection: psycopg.Connection, counted: Counted, statements: int) -> tuple[float, float]:
    """Microseconds of a statement (median), and of its check (mean)."""
    counted.lap()
    times = []
    for _ in range(statements):
        begin = time.perf_counter()
        connection.execute(STATEMENT).fetchall()
        times.append(time.perf_counter() - begin)
    return 1e6 * statistics.median(times), counted.lap()


def measure(arguments: argparse.Namespace) -> None:
    with setting.box_process.running(setting.boathouse()) as box:
        box.pause_keeper()
        with connect(box, box.user, box.password) as owner:
            owner.execute("CREATE TABLE small (id int, amount int, secret text)")
            owner.execute("CREATE TABLE other (i int)")
            owner.execute("INSERT INTO small SELECT i, i, 'x' FROM range(10) r(i)")
            owner.execute(f"CREATE ROLE ana LOGIN PASSWORD '{PASSWORD}'")
            owner.execute("GRANT CONNECT ON DATABASE lake TO ana")
            owner.execute("GRANT SELECT (id, amount) ON small TO ana")
        with connect(box, box.user, box.password) as owner, connect(box, "ana", PASSWORD) as ana:
            counted = Counted(box)
            arms: dict[str, list] = {"the lake's owner": [], "SELECT on two columns": [], "the same, with 10 commits a second": []}
            for connection in (owner, ana):
                ask(connection, counted, 200)
            for _ in range(arguments.rounds):
                arms["the lake's owner"].append(ask(owner, counted, arguments.statements))
                arms["SELECT on two columns"].append(ask(ana, counted, arguments.statements))
                with committing(box, 100):
                    arms["the same, with 10 commits a second"].append(ask(ana, counted, arguments.statements // 4))
    setting.table("Privilege checks", ["who asks", "the statement, µs", "its check, µs"],
                  [[name, *(f"{statistics.median(round_[k] for round_ in rounds):,.0f}" for k in (0, 1))]
                   for name, rounds in arms.items()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
