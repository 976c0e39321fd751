"""Backup and restore of a catalog of many data files, with and without a key: seconds, and MB of catalog a second.

One box. The restore's part that looks for data files is not measured: large_catalog.py's are not there. What a backup
costs those who query meanwhile is bounded by --backup-rate-mb, which is off here.

    bench/backup.py [--files 200000]
"""

import argparse
import json
import subprocess
import time

import duckdb
import large_catalog
import psycopg
import setting

KEY = "0123456789abcdef" * 4


def measure(box, name: str, *arguments, **environment: str) -> tuple[float, dict]:
    begin = time.perf_counter()
    done = subprocess.run([box.binary, *map(str, arguments), "--json"], env=box.environment | environment,
                          capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    if not done.stdout:
        raise SystemExit(f"{name}: {done.stderr}")
    return seconds, json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=200_000)
    files = parser.parse_args().files
    with setting.box_process.running(setting.boathouse()) as box:
        client = duckdb.connect()
        client.execute(f"LOAD ducklake; LOAD postgres_scanner; ATTACH '{box.attach_string}' AS lake")
        with psycopg.connect(box.dsn, autocommit=True) as catalog:
            large_catalog.grow(client, catalog, large_catalog.Size(files, 1, 1, 10))
        client.close()
        backups = box.root / "backups"
        backups.mkdir()
        backups.chmod(0o777)
        for arm, environment in {"plain": {}, "sealed": {"BOATHOUSE_BACKUP_KEY": KEY}}.items():
            environment["BOATHOUSE_BACKUP_TO"] = str(backups / arm)
            seconds, made = measure(box, "create", "backup", "create", "--data-dir", box.data_dir, "--backup-rate-mb",
                                    0, **environment)
            size = made["catalog_bytes"] / 1e6
            print(f"create, {arm:6}  {seconds:6.1f} s  {size / seconds:6.0f} MB/s of {size:.0f} MB, "
                  f"{made['stored_bytes'] / 1e6:.0f} MB stored")
            seconds, _ = measure(box, "restore", "restore", "--into", box.root / f"restored-{arm}", **environment)
            print(f"restore, {arm:6} {seconds:6.1f} s  {size / seconds:6.0f} MB/s")


if __name__ == "__main__":
    main()
