"""The catalog's log: any moment since the oldest backup, keys, and what happens when a piece is missing.

Two drills are drawn here; fifty with BOATHOUSE_DRILLS=50, others with another BOATHOUSE_DRILL_SEED:
`BOATHOUSE_DRILLS=50 scripts/test tests/backup/test_log_archive.py -k random --timeout=3600`.
"""

import json
import os
import random
import subprocess
import time

import pytest

from backed_up import started

KEY = "0123456789abcdef" * 4
OTHER_KEY = "fedcba9876543210" * 4
SEED = int(os.environ.get("BOATHOUSE_DRILL_SEED", "20261123"))
DRILLS = int(os.environ.get("BOATHOUSE_DRILLS", "2"))
COMMITS = 25


class Model:
    """What the lake holds after each commit."""

    def __init__(self):
        self.moments: list[tuple[int, str, dict[str, int]]] = []  # snapshot, time of PostgreSQL's clock, rows by table


def write_history(lake) -> Model:
    """A busy time: seeded inserts, deletes, tables made and dropped, a moment noted after each commit."""
    choice = random.Random(SEED)
    model, rows = Model(), {}
    with lake.connect() as door:
        for number in range(COMMITS):
            action = choice.choice(["create", "insert", "insert", "delete", "drop"]) if rows else "create"
            table = choice.choice(sorted(rows)) if rows else ""
            if action == "create":
                table = f"t{number}"
                rows[table] = choice.randrange(1, 5000)
                door.execute(f"CREATE TABLE {table} AS SELECT range AS id FROM range({rows[table]})")
            elif action == "insert":
                count = choice.randrange(1, 50)
                rows[table] += count
                door.execute(f"INSERT INTO {table} SELECT {1000000 + number} FROM range({count})")
            elif action == "delete":
                rows[table] -= door.execute(f"DELETE FROM {table} WHERE id % 3 = {choice.randrange(3)}").rowcount
            else:
                del rows[table]
                door.execute(f"DROP TABLE {table}")
            snapshot = door.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()[0]
            (moment,), = lake.catalog("SELECT clock_timestamp()::text")
            model.moments.append((snapshot, moment, dict(rows)))
    return model


@pytest.fixture(scope="module")
def sealed(boathouse):
    """A box with a key, a backup, a history of commits after it, all archived."""
    with started(boathouse, BOATHOUSE_BACKUP_KEY=KEY) as lake:
        lake.create()
        lake.model = write_history(lake)
        lake.archive_all()
        yield lake


def test_random_moments_come_back_as_they_were(sealed):
    print("seed", SEED)
    choice = random.Random(SEED + 1)
    for drill in range(DRILLS):
        snapshot, moment, rows = choice.choice(sealed.model.moments[:-1])
        to = f"snapshot {snapshot}" if drill % 2 == 0 else moment
        assert sealed.rows_as_of(to, sealed.box.root / f"drill-{drill}") == rows, f"drill {drill}: {to}"
    assert sealed.rows_as_of("end", sealed.box.root / "end") == sealed.model.moments[-1][2]


def test_a_moment_that_is_not_archived_is_told(sealed):
    into = sealed.box.root / "tomorrow"
    future = sealed.restore(into, "--to", "2099-01-01")
    assert future.code != 0 and "the archived log ends before" in future.errors and "--to end" in future.errors
    past = sealed.restore(into, "--to", "2001-01-01")
    assert past.code != 0 and "the oldest backup ended at" in past.errors
    unborn = sealed.restore(into, "--to", "snapshot 999999")
    assert unborn.code != 0 and "snapshot 999999 is neither in the backups" in unborn.errors
    nonsense = sealed.restore(into, "--to", "yesterday")
    assert nonsense.code != 0 and "is no backup that is there, no snapshot and no time" in nonsense.errors
    assert list(into.iterdir()) == []


def test_without_the_key_nothing_is_read(sealed):
    for path in [*sealed.store.glob("wal/*"), *sealed.store.glob("base/*/base*")]:
        assert path.name.endswith(".gz.sealed") and path.read_bytes().startswith(b"boathouse sealed 1\n")
    into = sealed.box.root / "keyless"
    wrong = sealed.restore(into, BOATHOUSE_BACKUP_KEY=OTHER_KEY)
    assert wrong.code == 77 and "is encrypted with the key" in wrong.errors
    assert KEY not in wrong.errors and OTHER_KEY not in wrong.errors
    none = sealed.restore(into, BOATHOUSE_BACKUP_KEY="")
    assert none.code == 77 and "no key is given" in none.errors
    assert list(into.iterdir()) == []
    assert KEY not in sealed.box.log()


def test_a_piece_that_is_missing_or_damaged_is_named(sealed):
    sealed.sql("CREATE TABLE late AS SELECT 1 AS id")
    sealed.archive_all()
    sealed.sql("DROP TABLE late")
    sealed.archive_all()
    piece = sorted(sealed.store.glob("wal/*"))[-2]
    whole = piece.read_bytes()
    piece.unlink()
    into = sealed.box.root / "gap"
    missing = sealed.restore(into, "--to", "end")
    assert missing.code != 0 and f"{piece.name.split('.')[0]} is missing from {piece.parent}" in missing.errors
    piece.touch()
    piece.write_bytes(whole[:-1])
    os.chown(piece, (sealed.box.data_dir / "postgres").stat().st_uid, -1)
    damaged = sealed.restore(into, "--to", "end")
    assert damaged.code != 0 and f"{piece} is damaged or cut off" in damaged.errors
    assert list(into.iterdir()) == []
    piece.write_bytes(whole)


def test_an_archive_that_fails_is_seen(lake):
    """PostgreSQL warns when a piece has failed three times, and keeps it; nothing is lost."""
    lake.archive_all()
    wal = lake.store / "wal"
    away = lake.store / "away"
    wal.rename(away)
    wal.write_text("in the way")
    (piece,), = lake.catalog("SELECT pg_walfile_name(pg_switch_wal())")
    lake.box.expect("archiving write-ahead log file .* failed too many times")
    lake.box.expect("boathouse: cannot create .*/wal/.*: Not a directory")
    deadline = time.monotonic() + 120
    while "boathouse_archive_failing 1" not in lake.box.http("/metrics")[1]:
        assert time.monotonic() < deadline
        lake.catalog("SELECT pg_switch_wal()")
        lake.sql("CREATE OR REPLACE TABLE written AS SELECT 1 AS id")
        time.sleep(0.2)
    doctor = subprocess.run([lake.box.binary, "doctor", "--json", "--data-dir", lake.box.data_dir],
                            env=lake.box.environment, capture_output=True, text=True, timeout=120)
    findings = [entry for entry in json.loads(doctor.stdout)["findings"] if entry["check"] == "archive"]
    assert findings and "is not archived" in findings[0]["message"] and "the disk is full" in findings[0]["message"]
    wal.unlink()
    away.rename(wal)
    lake.archive_all()
    assert list(wal.glob(f"{piece}.gz"))
    lake.sql("DROP TABLE written")
