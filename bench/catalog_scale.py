"""A direct DuckDB client on a catalog of 100,000 data files, with and without the indexes that the box adds.

One box, one catalog, two arms that take turns: in one the box's indexes are dropped. Each round is a fresh client: it
attaches, selects one row of a small table (the first query reads the whole schema, the second does not) and of a table
that has half of the files, inserts, deletes. Medians in milliseconds.

    bench/catalog_scale.py [--files 100000] [--tables 1000] [--columns 10] [--rounds 7]
"""

import argparse
import statistics
import time

import duckdb
import large_catalog
import psycopg
import setting


def statements(attach_string: str, round_number: int, columns: int) -> dict[str, str]:
    row = ", ".join(["-1"] + ["0"] * (columns - 1))
    return {
        "ATTACH": f"ATTACH '{attach_string}' AS lake",
        "SELECT, small table, first": "SELECT c2 FROM lake.small3 WHERE id = 500",
        "SELECT, small table": "SELECT c2 FROM lake.small3 WHERE id = 501 AND c2 = 1002",
        "SELECT count(*), small table": "SELECT count(*) FROM lake.small3 WHERE id = 502",
        "SELECT, half of all files": "SELECT c2 FROM lake.big WHERE id = 500",
        "INSERT of one row": f"INSERT INTO lake.small3 VALUES ({row})",
        "DELETE of one row": f"DELETE FROM lake.small3 WHERE id = {600 + round_number}",
    }


def run_round(attach_string: str, round_number: int, columns: int) -> dict[str, float]:
    client = duckdb.connect()
    client.execute("LOAD ducklake; LOAD postgres_scanner")
    times = {}
    for name, statement in statements(attach_string, round_number, columns).items():
        begin = time.perf_counter()
        client.execute(statement).fetchall()
        times[name] = 1000 * (time.perf_counter() - begin)
    client.close()
    return times


def own_indexes(catalog: psycopg.Connection) -> dict[str, str]:
    return dict(catalog.execute("SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'boathouse%'").fetchall())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    half = arguments.files // 2
    size = large_catalog.Size(half, arguments.tables, half // arguments.tables, arguments.columns)

    with (setting.server("box") as server,
          psycopg.connect(server.attach_string.removeprefix("ducklake:postgres:"), autocommit=True) as catalog):
        with duckdb.connect() as client:
            client.execute(f"LOAD ducklake; ATTACH '{server.attach_string}' AS lake")
            large_catalog.grow(client, catalog, size)
        indexes = own_indexes(catalog)
        rounds = {"without": [], "with": []}
        for number in range(2 * arguments.rounds):
            arm = "without" if number % 2 == 0 else "with"
            for name, definition in indexes.items():
                catalog.execute(f"DROP INDEX {name}" if arm == "without" else definition)
            rounds[arm].append(run_round(server.attach_string, number, arguments.columns))

    print(f"{size.data_files} data files, {size.tables + 1} tables of {size.columns} columns; medians of "
          f"{arguments.rounds} rounds in ms")
    print(f"{'':30}{'without':>10}{'with our indexes':>18}{'times faster':>14}")
    for name in rounds["with"][0]:
        without, own = (statistics.median(times[name] for times in rounds[arm]) for arm in ("without", "with"))
        print(f"{name:30}{without:10.1f}{own:18.1f}{without / own:14.1f}")


if __name__ == "__main__":
    main()
