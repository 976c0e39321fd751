"""Backups with copies of the data files: made once, shared, brought back without the old lake, and what may go wrong."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from backed_up import WAIT_SECONDS, BackedUp, started
from box_process import Box

ROWS = {"kept": 85714, "counted": 1234}


@pytest.fixture(scope="module")
def lake(boathouse):
    """A box with the tables kept (85,714 rows in one file, of which a delete file takes some) and counted (1,234)."""
    with started(boathouse) as lake:
        lake.box.pause_keeper()
        lake.sql("CREATE TABLE kept AS SELECT range AS id, 'row ' || range AS name FROM range(100000)")
        lake.sql("DELETE FROM kept WHERE id % 7 = 0")
        lake.sql("CREATE TABLE counted AS SELECT range AS id FROM range(1234)")
        yield lake


@pytest.fixture(scope="module")
def backup(lake):
    return lake.create("--with-data").json


@contextlib.contextmanager
def lost(lake):
    """The lake's own data files are out of reach."""
    place, away = lake.box.data_dir / "lake", lake.box.data_dir / "away"
    place.rename(away)
    try:
        yield
    finally:
        away.rename(place)


def copies(lake) -> dict:
    """The inode of each copy in the store, by its path in the lake."""
    root = lake.store / "data" / "plain"
    return {str(path.relative_to(root)): path.stat().st_ino for path in root.rglob("*") if path.is_file()}


def rows_of(restored: dict) -> dict:
    return {table["table"]: table["rows"] for table in restored["tables"]}


def test_each_file_is_copied_once(lake, backup):
    first = copies(lake)
    in_lake = {str(path.relative_to(lake.box.data_dir / "lake"))
               for path in (lake.box.data_dir / "lake").rglob("*.parquet")}
    assert set(first) == in_lake and len(first) == 3
    assert backup["data_files"] == 3 and backup["new_data_bytes"] == backup["data_bytes"] > 100_000
    lake.sql("CREATE TABLE later AS SELECT range AS id FROM range(77)")
    second = lake.create("--with-data").json
    lake.sql("DROP TABLE later")
    assert second["data_files"] == 4
    assert second["new_data_bytes"] == second["data_bytes"] - backup["data_bytes"] < 10_000
    assert first.items() <= copies(lake).items(), "what was there was not written again"
    listed = lake.command("backup", "list").output
    assert f"{backup['id']}  snapshot" in listed and "with 3 data files" in listed


def test_the_lake_comes_back_without_the_old_one(lake, backup, into, boathouse):
    with lost(lake):
        restored = lake.restore(into, "--to", backup["id"], "--deep").json
        assert restored["missing"] == [] and restored["files"] == 3 and not restored["shares_files"]
        assert restored["data_path"] == f"{into}/lake/" and rows_of(restored) == ROWS
        box = Box(boathouse)
        try:
            box.data_dir.rmdir()
            box.data_dir = into
            box.environment["BOATHOUSE_BACKUP_TO"] = str(lake.box.root / "backups" / "other")
            door = BackedUp(box.start())
            assert door.sql("SELECT count(*), sum(id), max(name) FROM kept") == [(85714, 4285685715, "row 99999")]
            policies = {row[0]: row[1] for row in door.sql("SELECT policy, value FROM boathouse.policies")}
            assert policies["cleanup_age"] != "off", "its files are its own: it may delete them"
            door.sql("INSERT INTO counted SELECT range FROM range(1000)")
            assert door.sql("SELECT count(*) FROM counted") == [(2234,)]
        finally:
            box.discard()
    assert lake.sql("SELECT count(*) FROM kept") == [(85714,)]


def test_another_place_is_empty_or_is_refused(lake, backup, into):
    place = lake.box.root / "backups" / "elsewhere"
    restored = lake.restore(into, "--to", backup["id"], "--data-into", place, "--deep").json
    assert restored["data_path"] == f"{place}/" and rows_of(restored) == ROWS
    shutil.rmtree(into)
    refused = lake.restore(into, "--to", backup["id"], "--data-into", place)
    assert refused.code != 0 and "is not empty, and a restore overwrites nothing" in refused.errors
    assert "--data-into" in refused.errors and list(into.iterdir()) == []
    shutil.rmtree(place)


def test_a_moment_between_two_backups_has_its_files(lake, backup, into):
    """Files that a merge has put out of use by the next backup are copied as well, as long as they are there."""
    lake.sql("CREATE TABLE merged (id BIGINT)")
    for number in range(3):
        lake.sql(f"INSERT INTO merged SELECT range + {100 * number} FROM range(100)")
    (snapshot,), = lake.catalog("SELECT max(snapshot_id) FROM ducklake_snapshot")
    lake.sql("CALL ducklake_merge_adjacent_files('lake')")
    assert lake.create("--with-data").code == 0
    lake.archive_all()
    lake.sql("DROP TABLE merged")
    with lost(lake):
        restored = lake.restore(into, "--to", f"snapshot {snapshot}", "--deep").json
    assert restored["missing"] == [] and rows_of(restored) == ROWS | {"merged": 300}


def test_what_is_newer_than_every_copy_comes_from_the_lake(lake, backup, into):
    lake.sql("CREATE TABLE newest AS SELECT range AS id FROM range(50)")
    lake.archive_all()
    restored = lake.restore(into, "--to", "end", "--deep").json
    assert rows_of(restored)["newest"] == 50 and not restored["shares_files"]
    shutil.rmtree(into)
    with lost(lake):
        restored = lake.restore(into, "--to", "end")
    lake.sql("DROP TABLE newest")
    assert restored.code == 1 and "queries that need them will fail" in restored.errors
    (fault,) = json.loads(restored.output)["missing"]
    assert "/newest/" in fault and "no backup has a copy of it" in fault


def test_without_the_copies_the_files_stay_where_they_are(lake, backup, into):
    restored = lake.restore(into, "--to", backup["id"], "--without-data").json
    assert restored["shares_files"] and restored["data_path"] == f"{lake.box.data_dir}/lake/"


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_copy_is_told_and_made_anew(lake, backup, into, damage):
    copy = next((lake.store / "data").rglob("counted/*.parquet"))
    whole = copy.read_bytes()
    copy.write_bytes(whole[:-1] if damage == "cut" else whole[:100] + b"damage" + whole[106:])
    with lost(lake):
        restored = lake.restore(into, "--to", backup["id"])
    assert restored.code == 1
    (fault,) = json.loads(restored.output)["missing"]
    words = {"cut": f"{len(whole) - 1} bytes instead of {len(whole)}",
             "changed": "its bytes are not those that were copied"}[damage]
    assert str(copy) in fault and words in fault
    shutil.rmtree(into)
    assert lake.restore(into, "--to", backup["id"]).json["missing"] == [], "the lake's own file takes its place"
    if damage == "changed":
        copy.write_bytes(whole)
        return
    again = lake.create("--with-data").json
    assert again["new_data_bytes"] >= len(whole) and copy.read_bytes() == whole


def test_a_data_file_that_is_not_there_whole_is_named(lake, backup):
    before = lake.listed()
    lake.sql("CREATE TABLE holed AS SELECT range AS id FROM range(500)")
    file = next((lake.box.data_dir / "lake").rglob("holed/*.parquet"))
    whole, status = file.read_bytes(), file.stat()
    file.unlink()
    missing = lake.create("--with-data")
    file.write_bytes(whole[:-1])
    os.chown(file, status.st_uid, status.st_gid)
    short = lake.create("--with-data")
    file.write_bytes(whole)
    lake.sql("DROP TABLE holed")
    assert missing.code != 0 and f"the data file {file} is gone, and the lake's catalog names it" in missing.errors
    assert short.code != 0 and f"{file} is {len(whole) - 1} bytes, and {len(whole)} by the lake's catalog" in short.errors
    assert lake.listed() == before and not list((lake.store / "data").rglob("*holed*/*"))
    assert [path for path in (lake.store / "base").iterdir() if not (path / "manifest.json").exists()] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system takes root")
def test_full_disks_leave_the_last_good_backup(lake, backup, into):
    before, there = lake.listed(), copies(lake)
    small = lake.box.root / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k,mode=777", "tmpfs", small], check=True)
    try:
        restored = lake.restore(into, "--to", backup["id"], "--data-into", small / "lake")
        left = [path for path in small.rglob("*") if path.is_file()]
        failed = lake.create("--with-data", BOATHOUSE_BACKUP_TO=str(small / "backups"))
        listed = lake.command("backup", "list", "--json", BOATHOUSE_BACKUP_TO=str(small / "backups")).json
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)
    assert restored.code != 0 and "No space left on device" in restored.errors and str(small) in restored.errors
    assert left == [] and list(into.iterdir()) == []
    assert failed.code != 0 and "No space left on device" in failed.errors and listed == []
    assert lake.listed() == before and copies(lake) == there


def test_a_killed_backup_is_none_and_the_next_goes_on_from_it(lake, backup):
    before = lake.listed()
    for number in range(3):
        lake.sql(f"CREATE TABLE big{number} AS SELECT hash(range) AS value FROM range(250000)")
    process = subprocess.Popen([lake.box.binary, "backup", "create", "--with-data", "--data-dir", lake.box.data_dir,
                                "--backup-rate-mb", "1"], env=lake.box.environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + WAIT_SECONDS
    while len(list(lake.store.glob("data/plain/main/big*/*"))) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert lake.listed() == before
    finished = {path for path in lake.store.glob("data/plain/main/big*/*.parquet")}
    again = lake.create("--with-data").json
    for path in lake.store.glob("data/plain/main/big*/*"):
        assert path.suffix == ".parquet", "what was half done is gone"
    total = sum(path.stat().st_size for path in lake.store.glob("data/plain/main/big*/*"))
    assert again["new_data_bytes"] == total - sum(path.stat().st_size for path in finished) < total
    for number in range(3):
        lake.sql(f"DROP TABLE big{number}")


def test_copies_go_with_the_last_backup_that_names_them(lake, backup):
    dropped = {path for path in copies(lake) if "/big" in path}
    assert len(dropped) == 3
    lake.sql("CALL ducklake_expire_snapshots('lake', older_than => now())")
    lake.sql("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
    last = lake.create("--with-data").json
    assert dropped < set(copies(lake)), "older backups name them"
    pruned = lake.command("backup", "prune", "--older-than", "0 seconds", "--data-dir", lake.box.data_dir)
    assert pruned.code == 0 and "copies of data files" in pruned.output
    assert lake.listed() == [last["id"]]
    assert len(copies(lake)) == last["data_files"] == 3 and not dropped & set(copies(lake))
    verified = lake.command("backup", "verify", "--scratch", lake.box.root / "backups", "--json")
    assert rows_of(verified.json) == ROWS
