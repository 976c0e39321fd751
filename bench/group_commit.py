"""Single-row prepared autocommit INSERTs: the SQL door beside PostgreSQL's own tables and beside direct DuckDB clients.

One box and one plain PostgreSQL (fsync on, as it comes) in the same run. pgbench drives the door and PostgreSQL with the
same script; direct clients are those of direct_writers.py, on the box's catalog. Contenders take turns, each for a bounded
time. Every acknowledged row must be there at the end; otherwise the run is an error. Before: how long one commit of N rows
takes the official extension, inlined and as a Parquet file.

    bench/group_commit.py [--clients 1,16,64,256] [--direct 1,16,64] [--seconds 5] [--sizes 1,10,100,1000,10000]
"""

import argparse
import statistics
import time

import direct_writers
import pgbench
import psycopg
import setting

SCRIPT = r"""\set number random(1, 1000000000)
INSERT INTO singles (client, number, note) VALUES (:client_id, :number, 'a row')
"""
TABLE = "CREATE TABLE singles (client integer, number bigint, note text)"


def rate(dsn: str, clients: int, seconds: float) -> float:
    """Rows a second into a table of its own, all of which are there afterwards."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(TABLE)
        outcome = pgbench.run(dsn, SCRIPT, "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)),
                              "-T", str(int(seconds)))
        stored, = owner.execute("SELECT count(*) FROM singles").fetchone()
        if stored != outcome.transactions:
            raise SystemExit(f"{outcome.transactions} rows were acknowledged, {stored} are in the table")
        owner.execute("DROP TABLE singles")
    return outcome.per_second


def sizes(server: setting.Server, counts: list[int]) -> None:
    client = direct_writers.attach(server.attach_string, {})
    client.execute("CREATE TABLE lake.sizes (i BIGINT, t VARCHAR)")
    print("\nOne commit of N rows by the official extension, ms, median of 7:\n\n| rows | inlined | Parquet file |\n| --- | --- | --- |")
    for count in counts:
        cells = []
        for limit in (max(count, 1), 0):
            client.execute(f"CALL lake.set_option('data_inlining_row_limit', {limit}, table_name => 'sizes')")
            times = []
            for _ in range(7 if count <= 1000 else 3):
                begin = time.monotonic()
                client.execute(f"INSERT INTO lake.sizes SELECT i, 'row ' || i FROM range({count}) AS r(i)")
                times.append(1000 * (time.monotonic() - begin))
            cells.append(f"{statistics.median(times):.1f}")
        print(f"| {count:,} | {cells[0]} | {cells[1]} |", flush=True)
    client.execute("DROP TABLE lake.sizes")
    client.close()


def main() -> None:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=numbers, default=[1, 16, 64, 256])
    parser.add_argument("--direct", type=numbers, default=[1, 16, 64])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--sizes", type=numbers, default=[1, 10, 100, 1000, 10000])
    arguments = parser.parse_args()
    # 256 clients of the plain server: as it comes, it takes 100.
    with setting.server("box") as box, setting.postgres(max_connections="300") as plain:
        sizes(box, arguments.sizes)
        print("\nRows a second:\n\n| clients | PostgreSQL | door | direct clients | door / PostgreSQL | door / direct |\n"
              "| --- | --- | --- | --- | --- | --- |")
        for clients in arguments.clients:
            postgres = rate(plain.dsn("postgres"), clients, arguments.seconds)
            door = rate(f"{box.door} sslmode=disable", clients, arguments.seconds)
            cells = ["-", "-"]
            if clients in arguments.direct:
                direct = direct_writers.measure(box, "box", clients, arguments.seconds, {})["commits/s"]
                cells = [f"{direct:.0f}", f"{door / direct:.1f}"]
            print(f"| {clients} | {postgres:.0f} | {door:.0f} | {cells[0]} | {door / postgres:.2f} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()
