"""The SQL door beside PostgreSQL and beside a DuckDB client that has the lake to itself.

One box, one plain PostgreSQL, one DuckDB client, on the same data and in the same run; contenders take turns and the best
of each counts, so that a busy machine disturbs ratios less. Parts: latency (SELECT 1, new connections), stream (rows
out), copy (rows in), tpch (all 22 queries), slow (readers that do not read).

    bench/door.py [--parts latency,stream,copy,tpch,slow] [--rows 10000000] [--copy-rows 5000000] [--scale 1] [--rounds 3]
"""

import argparse
import contextlib
import os
import tempfile
import threading
import time
from pathlib import Path

import duckdb
import pgbench
import psutil
import psycopg
import setting
from wire_client import Wire, copy_in

STREAM_COLUMNS = """i AS id, (i % 1000)::int AS k, (i % 1000000 / 100.0)::numeric(12,2) AS price, sqrt(i) AS ratio,
    'name ' || i AS name, 'a text that is a little longer ' || (i % 100) AS note,
    DATE '2020-01-01' + (i % 1000)::int AS day, TIMESTAMP '2024-01-01 00:00:00' + to_seconds(i) AS at"""
COPY_COLUMNS = "id bigint, k int, price numeric(12,2), name text, day date"


def best_of(rounds: int, contenders: dict) -> dict[str, float]:
    """The least of what each contender returned, taking turns."""
    best = {}
    for _ in range(rounds):
        for name, run in contenders.items():
            best[name] = min(run(), best.get(name, float("inf")))
    return best


class Setting:
    """The contenders, and how to reach them."""

    def __init__(self, box, plain):
        self.box, self.plain = box, plain
        self.door = f"host={box.host} port={box.sql_port} user={box.user} password={box.password} dbname=lake sslmode=disable"
        self.postgres = plain.dsn(plain.database)

    def direct(self) -> duckdb.DuckDBPyConnection:
        client = duckdb.connect()
        client.execute("LOAD ducklake; LOAD postgres_scanner; LOAD tpch")
        client.execute(f"ATTACH '{self.box.attach_string}' AS lake; USE lake")
        return client


# ------------------------------------------------------------------ latency

def latency(settings: Setting, arguments) -> None:
    rows = []

    def measure(what: str, *flags: str) -> None:
        contenders = {"postgres": settings.postgres, "door": settings.door}
        best = best_of(arguments.rounds, {
            name: lambda dsn=dsn: pgbench.run(dsn, "SELECT 1;\n", *flags).latency_ms for name, dsn in contenders.items()})
        rows.append([what, f"{1000 * best['postgres']:.0f}", f"{1000 * best['door']:.0f}",
                     f"{best['door'] / best['postgres']:.1f}"])

    for mode in ("simple", "prepared"):
        for clients in (1, 32):
            measure(f"{mode}, {clients}", "-M", mode, "-c", str(clients), "-j", str(min(clients, 2)), "-T",
                    str(arguments.seconds))
    measure("new connection and first query", "-C", "-c", "1", "-T", str(arguments.seconds))
    setting.table("`SELECT 1` by pgbench, average latency:",
                  ["clients", "PostgreSQL, µs", "door, µs", "door / PostgreSQL"], rows)


# ------------------------------------------------------------------- stream

def make_stream_table(settings: Setting, rows: int) -> None:
    with psycopg.connect(settings.door, autocommit=True) as door:
        door.execute(f"CREATE TABLE stream AS SELECT {STREAM_COLUMNS} FROM range({rows}) AS r(i)")
    columns = STREAM_COLUMNS.replace("to_seconds(i)", "make_interval(secs => i)")
    with psycopg.connect(settings.postgres, autocommit=True) as postgres:
        postgres.execute(f"CREATE UNLOGGED TABLE stream AS SELECT {columns} FROM generate_series(0::bigint, {rows - 1}) AS r(i)")
        postgres.execute("VACUUM (ANALYZE, FREEZE) stream")


def arrow_seconds(client: duckdb.DuckDBPyConnection) -> float:
    begin = time.perf_counter()
    for _ in client.execute("SELECT * FROM stream").to_arrow_reader(100_000):
        pass
    return time.perf_counter() - begin


def csv_seconds(client: duckdb.DuckDBPyConnection) -> float:
    begin = time.perf_counter()
    client.execute("COPY (SELECT * FROM stream) TO '/dev/null' (FORMAT csv)")
    return time.perf_counter() - begin


def stream(settings: Setting, arguments) -> None:
    make_stream_table(settings, arguments.rows)
    requests = {
        "rows, text": lambda wire: wire.query("SELECT * FROM stream")[0],
        "rows, binary": lambda wire: wire.binary_query("SELECT * FROM stream")[0],
        "COPY, csv": lambda wire: wire.query("COPY stream TO STDOUT (FORMAT csv)")[0],
        "COPY, binary": lambda wire: wire.query("COPY stream TO STDOUT (FORMAT binary)")[0],
    }
    with contextlib.closing(settings.direct()) as client:
        direct = best_of(arguments.rounds, {"arrow": lambda: arrow_seconds(client), "csv": lambda: csv_seconds(client)})
    rows = []
    million = arguments.rows / 1e6
    with contextlib.closing(Wire(settings.door)) as door, contextlib.closing(Wire(settings.postgres)) as postgres:
        for name, request in requests.items():
            best = best_of(arguments.rounds, {"postgres": lambda request=request: request(postgres),
                                              "door": lambda request=request: request(door)})
            peer = direct["csv" if name == "COPY, csv" else "arrow"]
            rows.append([name, f"{million / best['postgres']:.2f}", f"{million / best['door']:.2f}",
                         f"{best['postgres'] / best['door']:.1f}", f"{million / peer:.2f}"])
    setting.table(f"{million:g} million rows of 8 columns, million rows a second (DuckDB: csv into /dev/null, else Arrow batches):",
          ["", "PostgreSQL", "door", "door / PostgreSQL", "DuckDB in the client"], rows)


# --------------------------------------------------------------------- copy

def copy(settings: Setting, arguments) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "rows.csv"
        with contextlib.closing(settings.direct()) as client:
            client.execute(f"""COPY (SELECT i, i % 1000, (i % 1000000 / 100.0)::numeric(12,2), 'name ' || i,
                               DATE '2020-01-01' + (i % 1000)::int FROM range({arguments.copy_rows}) AS r(i))
                               TO '{path}' (FORMAT csv, HEADER false)""")
        number = 0

        def into(dsn: str) -> float:
            nonlocal number
            number += 1
            name = f"copy_rows_{number}"
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute(f"CREATE TABLE {name} ({COPY_COLUMNS})")
                seconds = copy_in(dsn, f"COPY {name} FROM STDIN (FORMAT csv)", path)
                assert connection.execute(f"SELECT count(*) FROM {name}").fetchone() == (arguments.copy_rows,)
                connection.execute(f"DROP TABLE {name}")
            return seconds

        def by_duckdb() -> float:
            nonlocal number
            number += 1
            name = f"copy_rows_{number}"
            with contextlib.closing(settings.direct()) as client:
                client.execute(f"CREATE TABLE {name} ({COPY_COLUMNS})")
                begin = time.perf_counter()
                client.execute(f"""INSERT INTO {name} SELECT * FROM read_csv('{path}', header=false, auto_detect=false,
                    columns={{'id': 'BIGINT', 'k': 'INTEGER', 'price': 'DECIMAL(12,2)', 'name': 'VARCHAR', 'day': 'DATE'}})""")
                seconds = time.perf_counter() - begin
                client.execute(f"DROP TABLE {name}")
            return seconds

        best = best_of(arguments.rounds, {"postgres": lambda: into(settings.postgres), "door": lambda: into(settings.door),
                                          "duckdb": by_duckdb})
        megabytes = path.stat().st_size / 1e6
    setting.table(f"COPY FROM of {arguments.copy_rows / 1e6:g} million csv rows, {megabytes:.0f} MB, seconds (DuckDB: read_csv of "
          "the file into the same lake):", ["PostgreSQL", "door", "DuckDB", "PostgreSQL / door", "DuckDB / door"],
          [[f"{best['postgres']:.2f}", f"{best['door']:.2f}", f"{best['duckdb']:.2f}",
            f"{best['postgres'] / best['door']:.1f}", f"{best['duckdb'] / best['door']:.2f}"]])


# --------------------------------------------------------------------- tpch

def tpch(settings: Setting, arguments) -> None:
    with contextlib.closing(settings.direct()) as client, contextlib.closing(Wire(settings.door)) as door:
        client.execute(f"ATTACH ':memory:' AS made; USE made; CALL dbgen(sf={arguments.scale}); USE lake")
        client.execute("CREATE SCHEMA tpch")
        for (name,) in client.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'made'").fetchall():
            client.execute(f"CREATE TABLE lake.tpch.{name} AS FROM made.{name}")
        client.execute("DETACH made; USE lake.tpch")
        door.query("SET search_path = tpch")
        door.query("SET boathouse.cache = off")  # each answer is computed, as the direct client's is
        queries = client.execute("SELECT query_nr, query FROM tpch_queries()").fetchall()

        def directly(query: str) -> float:
            begin = time.perf_counter()
            client.execute(query).fetchall()
            return time.perf_counter() - begin

        rows, direct_total, door_total = [], 0.0, 0.0
        for number, query in queries:
            best = best_of(2 * arguments.rounds, {"direct": lambda query=query: directly(query),
                                                  "door": lambda query=query: door.query(query)[0]})
            direct_total += best["direct"]
            door_total += best["door"]
            rows.append([str(number), f"{1000 * best['direct']:.0f}", f"{1000 * best['door']:.0f}",
                         f"{best['door'] / best['direct']:.2f}"])
    rows.append(["all", f"{1000 * direct_total:.0f}", f"{1000 * door_total:.0f}", f"{door_total / direct_total:.2f}"])
    setting.table(f"TPC-H, scale factor {arguments.scale:g}, milliseconds:", ["query", "DuckDB in the client", "door", "door / DuckDB"],
          rows)


# --------------------------------------------------------------------- slow

def slow(settings: Setting, _) -> None:
    """Thirty-two readers ask for 100 million rows each and read 64 kB a second; more than the executor has threads."""
    engine = settings.box.child("boathouse-engine")
    with psycopg.connect(settings.door, autocommit=True) as other:
        other.execute("SELECT 1")
        before = engine.memory_info().rss
        readers = [Wire(settings.door) for _ in range(32)]
        stop = threading.Event()

        def read(wire: Wire) -> None:
            wire.send("SELECT * FROM range(100_000_000)")
            while not stop.wait(1):
                wire.receive(65536)

        threads = [threading.Thread(target=read, args=(wire,)) for wire in readers]
        for thread in threads:
            thread.start()
        most, answers = 0, []
        for _ in range(100):
            time.sleep(0.1)
            begin = time.perf_counter()
            other.execute("SELECT 1")
            answers.append(time.perf_counter() - begin)
            most = max(most, engine.memory_info().rss)
        stop.set()
        for thread in threads:
            thread.join()
        for wire in readers:
            wire.close()
    answers.sort()
    setting.table("32 readers of 100 million rows each that read 64 kB a second, over 10 seconds:",
          ["engine's memory before, MB", "most, MB", "a reader, MB", "another session's SELECT 1, median ms", "slowest ms"],
          [[f"{before / 1e6:.0f}", f"{most / 1e6:.0f}", f"{(most - before) / 32e6:.1f}",
            f"{1000 * answers[len(answers) // 2]:.2f}", f"{1000 * answers[-1]:.1f}"]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default="latency,stream,copy,tpch,slow")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--copy-rows", type=int, default=5_000_000)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}, {psutil.cpu_count()} processors")
    with setting.box_process.running(setting.boathouse()) as box, setting.plain_catalog.running() as plain:
        settings = Setting(box, plain)
        for part in arguments.parts.split(","):
            {"latency": latency, "stream": stream, "copy": copy, "tpch": tpch, "slow": slow}[part](settings, arguments)
    print(f"\nload {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
