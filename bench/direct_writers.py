"""Many clients that commit single rows: DuckDB on a plain PostgreSQL's catalog and on the box's, psycopg at the SQL door.

Each direct client is a DuckDB instance of its own (threads of this process, which DuckDB runs in parallel), attached to the
lake; each client of the door is a connection in autocommit. All insert one row a statement into one table for a bounded
time. A statement that fails counts as a failed commit and the client goes on. At the end every acknowledged row must be in
the table exactly once; otherwise the run is an error.

    bench/direct_writers.py [--clients 1,4,16,64] [--seconds 10] [--set NAME=VALUE …] [--way plain|box|door]
"""

import argparse
import statistics
import threading
import time
from dataclasses import dataclass, field

import duckdb
import psycopg
import setting


@dataclass
class Outcome:
    """What one client saw. Latencies in seconds, of acknowledged commits only."""

    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def attach(attach_string: str, settings: dict[str, str]) -> duckdb.DuckDBPyConnection:
    client = duckdb.connect()
    client.execute("LOAD ducklake")
    for name, value in settings.items():
        client.execute(f"SET {name} = {value}")
    client.execute(f"ATTACH '{attach_string}' AS lake")
    return client


def connect(server: setting.Server, way: str, settings: dict[str, str]):
    """One writer's connection."""
    return psycopg.connect(server.door, autocommit=True) if way == "door" else attach(server.attach_string, settings)


def write(client, number: int, table: str, seconds: float, barrier: threading.Barrier, outcome: Outcome) -> None:
    barrier.wait()
    end = time.monotonic() + seconds
    row = 0
    while (begin := time.monotonic()) < end:
        row += 1
        try:
            client.execute(f"INSERT INTO {table} VALUES ({number}, {row}, 'a row')")
            outcome.latencies.append(time.monotonic() - begin)
        except (duckdb.Error, psycopg.Error) as error:
            outcome.failures.append(str(error))


def measure(server: setting.Server, way: str, clients: int, seconds: float, settings: dict[str, str]) -> dict:
    """One round: commits per second, failed commits, latencies in milliseconds."""
    table = f"lake.main.writers_{clients}_{time.monotonic_ns()}"
    admin = attach(server.attach_string, {})
    admin.execute(f"CREATE TABLE {table} (client INTEGER, number INTEGER, text VARCHAR)")
    connections = [connect(server, way, settings) for _ in range(clients)]
    outcomes = [Outcome() for _ in connections]
    barrier = threading.Barrier(clients + 1)
    threads = [threading.Thread(target=write, args=(connection, number, table, seconds, barrier, outcome))
               for number, (connection, outcome) in enumerate(zip(connections, outcomes, strict=True))]
    for thread in threads:
        thread.start()
    barrier.wait()
    begin = time.monotonic()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - begin
    latencies = sorted(latency for outcome in outcomes for latency in outcome.latencies)
    stored = admin.execute(f"SELECT count(*), count(DISTINCT (client, number)) FROM {table}").fetchone()
    if stored != (len(latencies), len(latencies)):
        raise SystemExit(f"{len(latencies)} rows were acknowledged, {stored} (all, distinct) are in the table")
    for connection in [admin, *connections]:
        connection.close()
    return {"clients": clients, "commits/s": len(latencies) / elapsed, "failed": sum(len(o.failures) for o in outcomes),
            "p50 ms": 1000 * statistics.median(latencies), "p99 ms": 1000 * latencies[int(0.99 * (len(latencies) - 1))],
            "starved": sum(not outcome.latencies for outcome in outcomes),
            "errors": {failure[:160] for outcome in outcomes for failure in outcome.failures}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", default="1,4,16,64")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of each direct client")
    parser.add_argument("--way", choices=["plain", "box", "door"], action="append")
    arguments = parser.parse_args()
    settings = dict(pair.split("=", 1) for pair in arguments.set)
    print("way      clients  commits/s  failed  without a commit   p50 ms   p99 ms", flush=True)
    for way in arguments.way or ["plain", "box", "door"]:
        with setting.server("plain" if way == "plain" else "box") as server:
            for clients in map(int, arguments.clients.split(",")):
                result = measure(server, way, clients, arguments.seconds, settings)
                print(f"{way:7}  {clients:7}  {result['commits/s']:9.1f}  {result['failed']:6}  {result['starved']:16}  "
                      f"{result['p50 ms']:7.1f}  {result['p99 ms']:7.1f}", flush=True)
                for error in sorted(result["errors"])[:3]:
                    print(f"         {error}", flush=True)


if __name__ == "__main__":
    main()
