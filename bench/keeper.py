"""A table of many small commits before and after the keeper, beside the same rows loaded at once; and what the keeper costs.

One box. The table gets --commits commits of 20 rows, a data file each, with the keeper paused; then the keeper works off what
there is, first with the policies as they come, then with one that ends the old snapshots. Times are medians of queries through the
SQL door, answers not kept, the two tables in turn. The cost: queries a second of one client on the freshly loaded table, while the
keeper rests, while it merges another table's small files, and while it rests again. Each turn has a cost of its own, and the median
counts, so that what else the machine does in a few of them does not decide.

    bench/keeper.py [--commits 20000] [--turns 9]
"""

import argparse
import json
import os
import statistics
import subprocess
import time

import psycopg
import setting

ROWS_A_COMMIT = 20
QUERIES = 7
QUERY = "SELECT i % 10, count(*), sum(i), max(s) FROM {} GROUP BY 1 ORDER BY 1"
TURN_COMMITS = 400
REST_SECONDS = 6


def command(box, *arguments: str) -> str:
    done = subprocess.run([box.binary, *arguments, "--data-dir", box.data_dir], env=box.environment, check=True,
                          capture_output=True, text=True)
    return done.stdout


def connect(box) -> psycopg.Connection:
    door = psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                           autocommit=True)
    door.execute("SET boathouse.cache = off")
    return door


def write(door, table: str, commits: int) -> None:
    door.execute(f"CREATE TABLE {table} (i BIGINT, s VARCHAR)")
    for number in range(commits):
        begin = number * ROWS_A_COMMIT
        door.execute(f"INSERT INTO {table} SELECT range, 'row ' || range FROM range({begin}, {begin + ROWS_A_COMMIT})")


def seconds_of(door, table: str) -> float:
    begin = time.perf_counter()
    door.execute(QUERY.format(table)).fetchall()
    return time.perf_counter() - begin


def compare(door) -> tuple[float, float]:
    """Median seconds of the query on the small commits' table and on the freshly loaded one."""
    pairs = [(seconds_of(door, "small"), seconds_of(door, "fresh")) for _ in range(QUERIES)]
    return tuple(statistics.median(times) for times in zip(*pairs, strict=True))


def catalog_megabytes(box) -> float:
    with psycopg.connect(box.dsn, autocommit=True) as catalog:
        return catalog.execute("SELECT pg_database_size(current_database())").fetchone()[0] / 1e6


def keep(box) -> float:
    """Seconds until nothing is due; what gave way is asked for again."""
    begin = time.perf_counter()
    while any(run["outcome"] != "done" for run in json.loads(command(box, "keeper", "run", "--json"))):
        time.sleep(1)
    return time.perf_counter() - begin


def state(box, door, moment: str, seconds: float) -> list[str]:
    small, fresh = compare(door)
    files = door.execute("SELECT count(*) FROM ducklake_list_files('lake', 'small')").fetchone()[0]
    snapshots = door.execute("SELECT count(*) FROM ducklake_snapshots('lake')").fetchone()[0]
    return [moment, f"{seconds:.0f} s", f"{files:,}", f"{snapshots:,}", f"{catalog_megabytes(box):.0f} MB",
            f"{small * 1000:.0f} ms", f"{fresh * 1000:.0f} ms", f"{small / fresh:.2f}"]


def rate(door, until) -> float:
    """Queries a second until `until` says so, two seconds at least."""
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < 2 or not until():
        seconds_of(door, "fresh")
        count += 1
    return count / (time.perf_counter() - begin)


def rate_beside_keeper(box, door) -> float:
    """As `boathouse keeper run` asks for it, but for what starting a program costs."""
    with psycopg.connect(host=str(box.data_dir / "run"), port=box.catalog_port, user="boathouse",
                         dbname=f"boathouse_{box.database}", autocommit=True) as keeper:
        wanted, = keeper.execute("UPDATE keeper.state SET runs_wanted = runs_wanted + 1 RETURNING runs_wanted").fetchone()
        asked = time.perf_counter()

        def is_done() -> bool:
            nonlocal asked
            if time.perf_counter() - asked < 0.25:
                return False
            asked = time.perf_counter()
            return keeper.execute("SELECT runs_done FROM keeper.state").fetchone()[0] >= wanted

        return rate(door, is_done)


def rate_at_rest(door) -> float:
    end = time.perf_counter() + REST_SECONDS
    return rate(door, lambda: time.perf_counter() > end)


def cost(box, door, turns: int) -> list[tuple[float, float]]:
    """Of each turn the queries a second beside a keeper that rests, before and after, and beside one that works between."""
    rates = []
    for turn in range(turns):
        write(door, f"turn{turn}", TURN_COMMITS)
        time.sleep(2)  # for what the writing has left to do
        before, working, after = rate_at_rest(door), rate_beside_keeper(box, door), rate_at_rest(door)
        rates.append(((before + after) / 2, working))
    return rates


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commits", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=9)
    arguments = parser.parse_args()
    with setting.box_process.running(setting.boathouse()) as box:
        box.pause_keeper()
        with connect(box) as door:
            print(f"load average {os.getloadavg()[0]:.1f} at the start")
            begin = time.perf_counter()
            write(door, "small", arguments.commits)
            written = time.perf_counter() - begin
            door.execute("CREATE TABLE fresh AS SELECT range AS i, 'row ' || range AS s "
                         f"FROM range({arguments.commits * ROWS_A_COMMIT})")
            rows = [state(box, door, "as written", written)]
            rows.append(state(box, door, "after the keeper", keep(box)))
            command(box, "policy", "set", "snapshot_age", "1 second")
            command(box, "policy", "set", "cleanup_age", "0 seconds")
            rows.append(state(box, door, "and old snapshots gone", keep(box)))
            setting.table(f"{arguments.commits:,} commits of {ROWS_A_COMMIT} rows",
                          ["", "it took", "files", "snapshots", "catalog", "query", "freshly loaded", "ratio"], rows)
            rates = cost(box, door, arguments.turns)
            resting, working = (statistics.median(side) for side in zip(*rates, strict=True))
            costs = sorted(1 - at_work / at_rest for at_rest, at_work in rates)
            setting.table(f"One client's queries, {arguments.turns} turns",
                          ["keeper at rest", "keeper at work", "cost: median", "least", "most"],
                          [[f"{resting:.1f}/s", f"{working:.1f}/s", *map(percent, (statistics.median(costs), costs[0], costs[-1]))]])
            print(f"load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
