"""The catalog's version is guarded: DuckLake's own migration is refused until `boathouse migrate` allows it.

The migration is a real one. The catalog is labelled 0.4, whose tables are those of 1.0 but for what the migration adds
where it is missing, so the pinned client has something to migrate.
"""

import subprocess

import duckdb
import psycopg
import pytest


def migrate(box, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([box.binary, "migrate", "--data-dir", box.data_dir, *arguments], env=box.environment, input="",
                          capture_output=True, text=True, timeout=240)


def attach_and_migrate(box) -> None:
    with duckdb.connect() as client:
        client.execute(f"LOAD ducklake; ATTACH '{box.attach_string}' AS lake (AUTOMATIC_MIGRATION)")


def version(box) -> str:
    with psycopg.connect(box.dsn) as owner:
        return owner.execute("SELECT value FROM ducklake_metadata WHERE key = 'version'").fetchone()[0]


def test_migration_needs_to_be_allowed(new_box, duckdb_home, monkeypatch):
    monkeypatch.setenv("HOME", str(duckdb_home))
    box = new_box()
    box.expect("the guard on the catalog's version is lifted")
    shown = migrate(box)
    assert shown.returncode == 0, shown.stderr
    assert "catalog    version 1.0" in shown.stdout and "guard      active" in shown.stdout

    with psycopg.connect(box.dsn, autocommit=True) as owner:
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="boathouse migrate"):
            owner.execute("UPDATE ducklake_metadata SET value = '0.4' WHERE key = 'version'")
        assert migrate(box, "--allow", "--yes", "--dump-to", str(box.data_dir / "first.dump")).returncode == 0
        owner.execute("UPDATE ducklake_metadata SET value = '0.4' WHERE key = 'version'")
    assert "guard      active" in migrate(box, "--lock").stdout

    with pytest.raises(duckdb.Error, match="boathouse migrate"):
        attach_and_migrate(box)
    assert version(box) == "0.4"

    declined = migrate(box, "--allow")
    assert declined.returncode == 1 and "can never be opened" in declined.stderr
    allowed = migrate(box, "--allow", "--yes")
    assert allowed.returncode == 0, allowed.stderr
    dumps = list((box.data_dir / "backups").iterdir())
    assert len(dumps) == 1 and str(dumps[0]) in allowed.stdout
    assert dumps[0].stat().st_mode & 0o777 == 0o600
    attach_and_migrate(box)
    assert version(box) == "1.0"

    box.restart()
    assert "guard      lifted" in migrate(box).stdout
    assert "guard      active" in migrate(box, "--lock").stdout


def test_the_dump_brings_back_what_was_migrated(new_box):
    box = new_box()
    box.expect(".")  # a box that cannot open its catalog says so
    dump = box.root / "catalog.dump"
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                         autocommit=True) as door:
        door.execute("CREATE TABLE dumped AS SELECT range AS i FROM range(100)")
        door.execute("GRANT SELECT ON dumped TO PUBLIC")
        allowed = migrate(box, "--allow", "--yes", "--dump-to", str(dump))
        assert allowed.returncode == 0, allowed.stderr
        dump.chmod(0o644)  # the box's user reads it
        door.execute("INSERT INTO dumped VALUES (-1)")
    with psycopg.connect(box.dsn, autocommit=True) as owner:
        owner.execute("UPDATE ducklake_metadata SET value = '9.9' WHERE key = 'version'")
    running = migrate(box, "--back", str(dump))
    assert running.returncode != 0 and "another box runs on the data directory" in running.stderr
    assert box.stop() == 0
    box.spawn()
    assert box.wait_exit() == 78 and "9.9" in box.log()

    damaged = box.root / "damaged.dump"
    damaged.write_bytes(dump.read_bytes()[:-2000])
    refused = migrate(box, "--back", str(damaged))
    assert refused.returncode != 0 and str(damaged) in refused.stderr and "The catalog is as it was" in refused.stderr

    back = migrate(box, "--back", str(dump))
    assert back.returncode == 0, back.stderr
    assert "lakehouse_migrated" in back.stdout
    box.start()
    assert version(box) == "1.0" and "guard      active" in migrate(box).stdout
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                         autocommit=True) as door:
        assert door.execute("SELECT count(*), min(i) FROM dumped").fetchone() == (100, 0)
        assert door.execute("SELECT relacl::text LIKE '%=r/%' FROM pg_class WHERE relname = 'dumped'").fetchone() == (True,)
        door.execute("INSERT INTO dumped VALUES (100)")
    with psycopg.connect(host=str(box.data_dir / "run"), port=box.catalog_port, user="boathouse",
                         dbname="lakehouse_migrated") as superuser:
        assert superuser.execute("SELECT value FROM ducklake_metadata WHERE key = 'version'").fetchone() == ("9.9",)
