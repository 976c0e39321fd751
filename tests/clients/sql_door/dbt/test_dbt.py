"""dbt-postgres: a small project with seeds, a view, a table, an incremental model and tests."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).with_name("shop")


@pytest.fixture
def dbt(door, tmp_path):
    """A function that runs dbt on a copy of the project and gives its output."""
    project = shutil.copytree(PROJECT, tmp_path / "shop")

    def run(*arguments: str) -> str:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "DOOR_HOST": door["host"], "DOOR_PORT": str(door["port"]),
                       "DOOR_USER": door["user"], "DOOR_PASSWORD": door["password"]}
        done = subprocess.run([Path(sys.executable).with_name("dbt"), "--no-use-colors", *arguments, "--project-dir", project,
                               "--profiles-dir", project], env=environment, cwd=project, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_project(dbt, lake):
    try:
        assert "PASS=2 WARN=0 ERROR=0" in dbt("seed")
        for _ in range(2):  # the second run replaces what the first has made
            assert "PASS=3 WARN=0 ERROR=0" in dbt("run")
        assert "PASS=5 WARN=0 ERROR=0" in dbt("test")
        assert lake.execute("SELECT country, orders, amount::numeric(10,2)::text FROM dbt_shop.revenue ORDER BY country").fetchall() == [
            ("GB", 1, "10.50"), ("US", 2, "25.25")]
        assert lake.execute("SELECT count(*) FROM dbt_shop.events").fetchone() == (3,)
    finally:
        lake.execute("DROP SCHEMA IF EXISTS dbt_shop CASCADE")
