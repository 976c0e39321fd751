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
