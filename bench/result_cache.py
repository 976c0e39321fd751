"""Kept answers: what a dashboard asks again and again, beside what PostgreSQL does with the cheapest question there is.

One box with a table of ten million rows, one plain PostgreSQL with pgbench's own tables, in the same run; contenders take
turns, each for a bounded time. Parts: five aggregates asked by many clients, with answers kept and without, alone and
while somebody commits to the table once a second; `SELECT 1`; a cold small query beside a direct DuckDB client.

    bench/result_cache.py [--rows 10000000] [--clients 16] [--seconds 10]
"""

import argparse
import statistics
import subprocess
import threading
import time

import direct_writers
import pgbench
import psycopg
import setting

QUESTIONS = """SELECT count(*), sum(amount) FROM sales
SELECT region, sum(amount) FROM sales GROUP BY region ORDER BY region
SELECT day, count(*) FROM sales WHERE region = 3 GROUP BY day ORDER BY day
SELECT product, avg(amount) FROM sales GROUP BY product ORDER BY 2 DESC, 1 LIMIT 10
SELECT max(amount), min(amount) FROM sales WHERE day >= DATE '2024-06-01'
"""
COLUMNS = """i AS id, (i % 8)::int AS region, (i % 500)::int AS product, (i % 100000 / 100.0)::numeric(12,2) AS amount,
    DATE '2024-01-01' + (i % 365)::int AS day"""
SELECT_ONLY = """\\set aid random(1, 100000 * :scale)
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
"""
SCALE = 10
COLD_ROUNDS = 200
COLD = {"count(*) with a filter": "SELECT count(*) FROM small WHERE i > {i}",
        "small aggregate": "SELECT i % 7, count(*), max(name) FROM small WHERE i <> {i} GROUP BY 1",
        "point lookup": "SELECT name FROM small WHERE i = {i}",
        "point lookup, rows inlined": "SELECT name FROM inlined WHERE i = {i} % 10"}


def one_line(questions: str) -> str:
    """A script of pgbench's with all of them: a transaction is five statements."""
    return "".join(question + ";\n" for question in questions.splitlines())


def commit_each_second(door: str, stop: threading.Event) -> None:
    with psycopg.connect(door, autocommit=True) as writer:
        while not stop.wait(1):
            writer.execute("INSERT INTO sales VALUES (0, 0, 0, 1, '2024-01-01')")


def dashboard(box: setting.Server, plain_dsn: str, arguments) -> None:
    flags = ["-c", str(arguments.clients), "-j", "2", "-T", str(arguments.seconds)]
    script = one_line(QUESTIONS)
    rows = []
    for mode in ("simple", "prepared"):
        postgres = pgbench.run(plain_dsn, SELECT_ONLY, "-M", mode, "-s", str(SCALE), *flags).per_second
        kept = 5 * pgbench.run(box.door, script, "-M", mode, *flags).per_second
        stop = threading.Event()
        writer = threading.Thread(target=commit_each_second, args=(box.door, stop))
        writer.start()
        written = 5 * pgbench.run(box.door, script, "-M", mode, *flags).per_second
        stop.set()
        writer.join()
        off = 5 * pgbench.run(f"{box.door}", "SET boathouse.cache = off;\n" + script, "-M", "simple", *flags).per_second
        rows.append([mode, f"{postgres:.0f}", f"{kept:.0f}", f"{written:.0f}", f"{off:.1f}"])
    setting.table(f"Statements a second, {arguments.clients} clients, {arguments.rows} rows:",
                  ["protocol", "PostgreSQL, pgbench -S", "door, kept", "door, one commit a second", "door, nothing kept"], rows)


def constant(box: setting.Server, plain_dsn: str, arguments) -> None:
    rows = []
    for mode in ("simple", "prepared"):
        for clients in (1, arguments.clients):
            flags = ["-M", mode, "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(arguments.seconds)]
            postgres = pgbench.run(plain_dsn, "SELECT 1;\n", *flags).latency_ms
            door = pgbench.run(box.door, "SELECT 1;\n", *flags).latency_ms
            rows.append([f"{mode}, {clients}", f"{1000 * postgres:.0f}", f"{1000 * door:.0f}", f"{door / postgres:.1f}"])
    setting.table("`SELECT 1`, average latency:", ["clients", "PostgreSQL, µs", "door, µs", "door / PostgreSQL"], rows)


def cold(box: setting.Server) -> None:
    """Each question differs, so none has an answer that is kept. Contenders take turns."""
    client = direct_writers.attach(box.attach_string, {})
    client.execute("USE lake")
    with psycopg.connect(box.door, autocommit=True) as door, psycopg.connect(box.door, autocommit=True) as off:
        off.execute("SET boathouse.cache = off")
        off.execute("CREATE TABLE small AS SELECT i, 'name ' || i AS name FROM range(1000) AS r(i)")
        off.execute("CREATE TABLE inlined (i bigint, name text)")
        off.execute("INSERT INTO inlined VALUES " + ", ".join(f"({i}, 'name {i}')" for i in range(10)))
        rows = []
        for what, query in COLD.items():
            times = {name: [] for name in ("direct", "off", "door")}
            for i in range(COLD_ROUNDS):
                for name, connection in (("direct", client), ("off", off), ("door", door)):
                    begin = time.monotonic()
                    connection.execute(query.format(i=i)).fetchall()
                    times[name].append(1000 * (time.monotonic() - begin))
            direct, unkept, kept = (statistics.median(times[name]) for name in ("direct", "off", "door"))
            rows.append([what, f"{direct:.2f}", f"{unkept:.2f}", f"{kept:.2f}", f"{direct / kept:.1f}"])
    setting.table("A cold small query, median, ms:",
                  ["query", "direct client", "door, boathouse.cache = off", "door", "direct / door"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    with setting.server("box") as box, setting.postgres() as plain:
        door = setting.Server(box.attach_string, f"{box.door} sslmode=disable")
        dsn = plain.dsn("postgres")
        parts = dict(part.split("=", 1) for part in dsn.split())
        subprocess.run([setting.plain_postgres.postgres_directory() / "pgbench", "-i", "-q", "-s", str(SCALE),
                        "-h", parts["host"], "-p", parts["port"], "-U", parts["user"], parts["dbname"]],
                       env={"PGPASSWORD": parts["password"]}, check=True, stderr=subprocess.DEVNULL)
        with psycopg.connect(door.door, autocommit=True) as owner:
            owner.execute(f"CREATE TABLE sales AS SELECT {COLUMNS} FROM range({arguments.rows}) AS r(i)")
        constant(door, dsn, arguments)
        dashboard(door, dsn, arguments)
        cold(door)


if __name__ == "__main__":
    main()
