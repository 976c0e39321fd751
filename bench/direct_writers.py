"""Many direct DuckDB clients that commit single rows: the box's catalog beside a plain PostgreSQL of the same version.

Each client is a DuckDB instance of its own (threads of this process, which DuckDB runs in parallel), attached to the
lake, inserting one row a statement into one table for a bounded time. A statement that fails counts as a failed commit and
the client goes on. At the end every acknowledged row must be in the table exactly once; otherwise the run is an error.

    bench/direct_writers.py [--clients 1,4,16,64] [--seconds 10] [--set NAME=VALUE …] [--catalog box|plain]
"""

import argparse
import statistics
import threading
import time
from dataclasses import dataclass, field

import duckdb
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


def write(client, number: int, table: str, seconds: float, barrier: threading.Barrier, outcome: Outcome) -> None:
    barrier.wait()
    end = time.monotonic() + seconds
    row = 0
    while (begin := time.monotonic()) < end:
        row += 1
        try:
            client.execute(f"INSERT INTO lake.{table} VALUES ({number}, {row}, 'a row')")
            outcome.latencies.append(time.monotonic() - begin)
        except duckdb.Error as error:
            outcome.failures.append(str(error))


def measure(attach_string: str, clients: int, seconds: float, settings: dict[str, str]) -> dict:
    """One round: commits per second, failed commits, latencies in milliseconds."""
    table = f"writers_{clients}_{time.monotonic_ns()}"
    admin = attach(attach_string, {})
    admin.execute(f"CREATE TABLE lake.{table} (client INTEGER, number INTEGER, text VARCHAR)")
    connections = [attach(attach_string, settings) for _ in range(clients)]
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
    stored = admin.execute(f"SELECT count(*), count(DISTINCT (client, number)) FROM lake.{table}").fetchone()
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
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of each client")
    parser.add_argument("--catalog", choices=["box", "plain"], action="append")
    arguments = parser.parse_args()
    settings = dict(pair.split("=", 1) for pair in arguments.set)
    print("catalog  clients  commits/s  failed  without a commit   p50 ms   p99 ms", flush=True)
    for name in arguments.catalog or ["plain", "box"]:
        with setting.catalog(name) as attach_string:
            for clients in map(int, arguments.clients.split(",")):
                result = measure(attach_string, clients, arguments.seconds, settings)
                print(f"{name:7}  {clients:7}  {result['commits/s']:9.1f}  {result['failed']:6}  {result['starved']:16}  "
                      f"{result['p50 ms']:7.1f}  {result['p99 ms']:7.1f}", flush=True)
                for error in sorted(result["errors"])[:3]:
                    print(f"         {error}", flush=True)


if __name__ == "__main__":
    main()
