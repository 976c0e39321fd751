"""What idle clients of the SQL door cost: memory of the engine with many connections that are logged in and do nothing.

Four numbers of the engine's proportional set size (PSS): at rest; with the connections; with connections over TLS; with
connections that have each run one statement, and so hold a DuckDB connection. The limit of open files is raised to what
the clients and the engine need, if the hard limit allows it.

    bench/idle_connections.py [--connections 10000] [--with-tls 1000] [--with-statement 1000]
"""

import argparse
import resource
import time

import psutil
import setting
from box_process import Box, running
from wire import Wire

SPARE_FILES = 1000


def raise_open_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    elif soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def engine_megabytes(box: Box) -> float:
    time.sleep(2)  # for what was freed to be given back
    return psutil.Process(box.child("boathouse-engine").pid).memory_full_info().pss / 2**20


def measure(box: Box, count: int, what: str, prepare) -> None:
    before = engine_megabytes(box)
    begin = time.monotonic()
    wires = []
    for _ in range(count):
        wires.append(prepare(Wire(box)))
    seconds = time.monotonic() - begin
    after = engine_megabytes(box)
    print(f"| {count:,} {what} | {before:.0f} | {after:.0f} | {(after - before) * 1024 / count:.1f} | "
          f"{1000 * seconds / count:.1f} |")
    for wire in wires:
        wire.socket.close()


def encrypted(wire: Wire) -> Wire:
    wire.encrypt()
    return wire.log_in()


def with_statement(wire: Wire) -> Wire:
    wire.log_in().rows("SELECT 1")
    return wire


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--with-tls", type=int, default=1_000)
    parser.add_argument("--with-statement", type=int, default=1_000)
    options = parser.parse_args()
    raise_open_files(options.connections + SPARE_FILES)
    limit = {"BOATHOUSE_SQL_CONNECTIONS_MAX": str(options.connections + SPARE_FILES)}
    print("| connections | engine before, MB | with them, MB | kB each | ms to log in |\n| --- | --- | --- | --- | --- |")
    for count, what, prepare in [(options.connections, "idle", Wire.log_in), (options.with_tls, "idle, TLS", encrypted),
                                 (options.with_statement, "idle after a statement", with_statement)]:
        with running(setting.boathouse(), settings=limit) as box:
            measure(box, count, what, prepare)


if __name__ == "__main__":
    main()
