"""Backup and restore: seconds, and MB a second.

First of a catalog of many data files, with and without a key: --files of them, of which only the catalog is there, so looking for
them is not measured. Then of a lake with --data-gb of data files that cannot be compressed, --with-data: the first backup copies
them, the second finds nothing new, the third a tenth more, and a restore brings them to a new data directory, where every table's
rows are counted. To a directory, with and without a key, and to a bucket of the tests' S3 server. What a backup costs those who query
meanwhile is bounded by --backup-rate-mb, which is off here.

    bench/backup.py [--files 200000] [--data-gb 1.5]
"""

import argparse
import json
import os
import shutil
import subprocess
import time

import duckdb
import large_catalog
import psycopg
import setting
from s3_server import S3Server

KEY = "0123456789abcdef" * 4
COLUMNS = 8  # of eight random bytes each
TABLE_MEGABYTES = 100


def measure(box, *arguments, **environment: str) -> tuple[float, dict]:
    begin = time.perf_counter()
    done = subprocess.run([box.binary, *map(str, arguments), "--json"], env=box.environment | environment,
                          capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    if not done.stdout:  # without their data files a restored catalog's are missing, which it says and fails for
        raise SystemExit(f"{arguments}: {done.stderr}")
    return seconds, json.loads(done.stdout)


def backup_places(box) -> dict[str, dict[str, str]]:
    backups = box.root / "backups"
    backups.mkdir(exist_ok=True)
    backups.chmod(0o777)
    return {"directory": {"BOATHOUSE_BACKUP_TO": str(backups / "plain")},
            "directory, with a key": {"BOATHOUSE_BACKUP_TO": str(backups / "sealed"), "BOATHOUSE_BACKUP_KEY": KEY}}


def create(box, environment: dict[str, str], *more: str) -> tuple[float, dict]:
    return measure(box, "backup", "create", "--data-dir", box.data_dir, "--backup-rate-mb", 0, *more, **environment)


def catalog_alone(box, files: int) -> None:
    with duckdb.connect() as client, psycopg.connect(box.dsn, autocommit=True) as catalog:
        client.execute(f"LOAD ducklake; LOAD postgres_scanner; ATTACH '{box.attach_string}' AS lake")
        large_catalog.grow(client, catalog, large_catalog.Size(files, 1, 1, 10))
    rows = []
    for place, environment in backup_places(box).items():
        made_seconds, made = create(box, environment)
        size = made["catalog_bytes"] / 1e6
        restored_seconds, _ = measure(box, "restore", "--into", box.root / "restored", **environment)
        shutil.rmtree(box.root / "restored")
        rows.append([place, f"{made_seconds:.1f} s, {size / made_seconds:.0f} MB/s, {made['stored_bytes'] / 1e6:.0f} MB stored",
                     f"{restored_seconds:.1f} s, {size / restored_seconds:.0f} MB/s"])
    setting.table(f"A catalog of {size:.0f} MB ({files:,} data files)", ["to", "create", "restore"], rows)


def write_tables(door, first: int, count: int) -> None:
    rows = TABLE_MEGABYTES * 1_000_000 // (8 * COLUMNS)
    for table in range(first, first + count):
        columns = ", ".join(f"hash(range * {COLUMNS} + {column} + {table * rows * COLUMNS}) AS c{column}"
                            for column in range(COLUMNS))
        door.execute(f"CREATE TABLE data{table} AS SELECT {columns} FROM range({rows})")


def with_data(box, megabytes: int, places: dict[str, dict[str, str]]) -> None:
    count = max(1, megabytes // TABLE_MEGABYTES)
    more = max(1, count // 10)
    rows = {place: [place] for place in places}
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                         autocommit=True) as door:
        write_tables(door, 0, count)
        for step in ("everything", "nothing new", "a tenth more"):
            if step == "a tenth more":
                write_tables(door, count, more)
            for place, environment in places.items():
                seconds, made = create(box, environment, "--with-data")
                copied = made["new_data_bytes"] / 1e6
                if (copied == 0) != (step == "nothing new"):
                    raise SystemExit(f"{place}, {step}: {copied} MB were copied")
                rows[place].append(f"{seconds:.1f} s, {copied / seconds:.0f} MB/s" if copied else f"{seconds:.1f} s")
        total = door.execute("SELECT count(*) FROM ducklake_table_info('lake')").fetchone()[0]
    for place, environment in places.items():
        seconds, restored = measure(box, "restore", "--deep", "--into", box.root / "restored", **environment)
        shutil.rmtree(box.root / "restored")
        if restored["missing"] or len(restored["tables"]) != total:
            raise SystemExit(f"{place}: restored {restored}")
        rows[place].append(f"{seconds:.1f} s, {restored['bytes'] / 1e6 / seconds:.0f} MB/s")
    setting.table(f"A lake of {restored['bytes'] / 1e6:.0f} MB in {restored['files']} data files, --with-data",
                  ["to", "everything", "nothing new", "a tenth more", "restore, every row read"], list(rows.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--data-gb", type=float, default=1.5)
    arguments = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} at the start")
    with setting.box_process.running(setting.boathouse()) as box:
        catalog_alone(box, arguments.files)
    store = S3Server()
    try:
        store.start()
        bucket = {name: value for name, value in store.box_settings("").items() if name != "S3_BUCKET_URL"}
        with setting.box_process.running(setting.boathouse()) as box:
            places = backup_places(box) | {"bucket": bucket | {"BOATHOUSE_BACKUP_TO": f"s3://{store.bucket}/backups"}}
            with_data(box, int(arguments.data_gb * 1000), places)
    finally:
        store.discard()
    print(f"load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
