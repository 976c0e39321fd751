"""A backup of the catalog, made while the box serves, and the lake brought back from it."""

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import threading
import time

import pytest

from box_process import Box
from backed_up import BackedUp

ROWS = {"kept": 100001, "counted": 1234}


@pytest.fixture(scope="module")
def backup(lake):
    """The lake's first backup."""
    made = lake.create()
    assert "backup_retention is set to 7 days" in made.errors
    return made.json


def test_a_lake_comes_back_as_of_the_backup_and_is_another_box(lake, backup, into, boathouse):
    lake.sql("CREATE TABLE later AS SELECT 1 AS id")
    restored = lake.restore(into, "--to", backup["id"], "--deep").json
    assert restored["backup"] == backup["id"] and restored["snapshot"] == backup["snapshot"]
    assert restored["missing"] == [] and restored["files"] == 2 and restored["files_checked"]
    assert {table["table"]: table["rows"] for table in restored["tables"]} == ROWS
    lake.sql("DROP TABLE later")

    box = Box(boathouse)
    try:
        box.data_dir.rmdir()
        box.data_dir = into
        box.environment["BOATHOUSE_BACKUP_TO"] = str(lake.box.root / "backups" / "other")
        other = BackedUp(box.start())
        assert other.sql("SELECT count(*), sum(id), min(name) FROM kept") == [(100001, 4999949999, "inlined")]
        other.sql("CREATE TABLE own AS SELECT range AS id FROM range(1000)")
        assert other.sql("SELECT count(*) FROM own") == [(1000,)]
        policies = {row[0]: row[1] for row in other.sql("SELECT policy, value FROM boathouse.policies")}
        assert policies["cleanup_age"] == policies["orphan_age"] == "off", "it deletes no file of the old lake's"
        refused = other.create(BOATHOUSE_BACKUP_TO=str(lake.store))
        assert refused.code != 0 and "the backups of another box" in refused.errors
        assert other.create().code == 0
    finally:
        box.discard()
    assert lake.sql("SELECT count(*) FROM kept") == [(100001,)], "the old lake is as it was"


def test_a_backup_is_verified_beside(lake, backup):
    scratch = lake.box.root / "backups"
    verified = lake.command("backup", "verify", backup["id"], "--scratch", scratch, "--json")
    assert {table["table"]: table["rows"] for table in verified.json["tables"]} == ROWS
    assert not list(scratch.glob("boathouse-verify-*"))


def test_nobody_else_may_read_a_backup(lake, backup):
    finished = [path for path in lake.store.rglob("*") if path.suffix != ".unfinished"]
    for path in [lake.store, *finished]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
        assert path.stat().st_uid == (lake.box.data_dir / "postgres").stat().st_uid


def test_nothing_is_overwritten(lake, backup, into):
    into.mkdir()
    (into / "precious").write_text("mine")
    for directory in (into, lake.box.data_dir):
        refused = lake.restore(directory)
        assert refused.code != 0 and "a restore overwrites nothing" in refused.errors
    assert [path.name for path in into.iterdir()] == ["precious"]
    assert lake.sql("SELECT 1") == [(1,)]


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_backup_is_told_and_leaves_nothing(lake, backup, into, damage):
    (file,) = (lake.store / "base" / backup["id"]).glob("base.tar*")
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.write_bytes(whole[:middle] if damage == "cut" else whole[:middle] + b"damage" + whole[middle + 6:])
    try:
        verified = lake.command("backup", "verify", backup["id"], "--scratch", lake.box.root)
        assert verified.code != 0 and f"{file} is not what was written" in verified.errors
        restored = lake.restore(into, "--to", backup["id"])
        assert restored.code != 0 and str(file) in restored.errors and "Hint:" in restored.errors
        assert list(into.iterdir()) == []
    finally:
        file.write_bytes(whole)


def test_missing_data_files_are_named(lake, backup, into):
    file = next((lake.box.data_dir / "lake").rglob("counted/*.parquet"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    try:
        restored = lake.restore(into, "--to", backup["id"])
    finally:
        file.write_bytes(whole)
    assert restored.code == 1 and "queries that need them will fail" in restored.errors
    assert json.loads(restored.output)["missing"] == [f"{file}: {len(whole) - 1} bytes instead of {len(whole)}"]


def test_a_full_disk_leaves_the_last_good_backup(lake, backup):
    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run([lake.box.binary, "backup", "create", "--data-dir", lake.box.data_dir],
                          env=lake.box.environment, preexec_fn=small_files, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0 and "cannot write" in done.stderr and "base.tar.gz" in done.stderr
    assert lake.listed() == [backup["id"]]
    assert [path.name for path in (lake.store / "base").iterdir()] == [backup["id"]]


def test_an_interrupted_backup_is_none_and_two_do_not_meet(lake, backup):
    process = subprocess.Popen([lake.box.binary, "backup", "create", "--data-dir", lake.box.data_dir,
                                "--backup-rate-mb", "1"], env=lake.box.environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(lake.store.glob("base/*/*.unfinished")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    refused = lake.create()
    assert refused.code != 0 and "another backup of this box is being made" in refused.errors
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert lake.listed() == [backup["id"]]
    # The server notices that its client is gone when it sends next.
    while lake.catalog("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'") != [(0,)]:
        assert time.monotonic() < deadline + 60
        time.sleep(0.05)
    again = lake.create().json
    assert lake.listed() == [backup["id"], again["id"]]
    assert [path.name for path in (lake.store / "base").iterdir() if not (path / "manifest.json").exists()] == []


def test_writers_go_on_while_a_backup_is_made(lake, backup, into):
    lake.sql("CREATE TABLE busy (id INTEGER)")
    written, stop = [0], threading.Event()

    def write():
        with lake.connect() as door:
            while not stop.is_set():
                door.execute(f"INSERT INTO busy VALUES ({written[0]})")
                written[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while written[0] < 5:
            time.sleep(0.01)
        before = written[0]
        made = lake.create(BOATHOUSE_BACKUP_RATE_MB="16").json
        after = written[0]
    finally:
        stop.set()
        writer.join()
    assert after > before, "nobody waited for the backup"
    assert before <= lake.rows_as_of(made["id"], into)["busy"] <= after + 1, "what was acknowledged before is there"
    lake.sql("DROP TABLE busy")


def test_backups_are_pruned_but_for_the_newest(lake, backup):
    ids = lake.listed()
    assert len(ids) > 1
    kept = lake.command("backup", "prune", "--data-dir", lake.box.data_dir)
    assert kept.code == 0 and f"{len(ids)} backups are kept" in kept.errors, "the policy keeps them"
    pruned = lake.command("backup", "prune", "--older-than", "0 seconds", "--data-dir", lake.box.data_dir)
    assert [line for line in pruned.output.splitlines() if "pieces" not in line] == [
        f"removed {id}" for id in ids[:-1]], "the newest stays, however old"
    assert lake.listed() == ids[-1:]
    shutil.rmtree(lake.store / "base")  # the next module starts anew


def test_an_external_catalog_is_its_providers_to_back_up(boathouse, tmp_path):
    done = subprocess.run([boathouse, "backup", "create", "--data-dir", tmp_path, "--backup-to", tmp_path / "to"],
                          env={"PATH": os.environ["PATH"], "HOME": str(tmp_path),
                               "BOATHOUSE_CATALOG": "postgresql://u@db.example.com/lakehouse"},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and "provider" in done.stderr and "backup_retention" in done.stderr
