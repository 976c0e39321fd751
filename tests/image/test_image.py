"""The container image, run: `make test-image` builds it first.

The containers share this machine's network, so that ports are free ones of loopback, and have the data directory mounted
at its own path, so that a direct client outside finds the lake's files where the catalog says they are.
"""

import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import duckdb
import pytest

from loopback import free_port

IMAGE = os.environ.get("BOATHOUSE_IMAGE", "boathouse")
PASSWORD = "correct-horse-battery"
SIZE_MAX_BYTES = 450_000_000
READY_TIMEOUT_SECONDS = 120


@pytest.fixture(scope="module")
def container(repository):
    """A function that runs scripts/container: container("inspect", …) gives the finished process."""

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        done = subprocess.run([repository / "scripts" / "container", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        assert not check or done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    return run


class Running:
    """A container of the image on a data directory of its own, started and ready."""

    def __init__(self, container, extension_directory: Path):
        self._container = container
        self._extensions = extension_directory
        self.name = f"boathouse-test-{uuid.uuid4().hex[:8]}"
        self.data_dir = Path(tempfile.mkdtemp(prefix="boathouse-image-"))
        self.data_dir.chmod(0o755)
        self.catalog_port, self.sql_port, self.http_port = free_port(), free_port(), free_port()
        volume = f"{self.data_dir}:{self.data_dir}"
        container("run", "--rm", "--network=host", "--user", "root", "-v", volume, "--entrypoint", "chown", IMAGE,
                  "boathouse:boathouse", str(self.data_dir))
        settings = {"POSTGRES_PASSWORD": PASSWORD, "BOATHOUSE_DATA_DIR": self.data_dir, "BOATHOUSE_LISTEN": "127.0.0.1",
                    "BOATHOUSE_CATALOG_PORT": self.catalog_port, "BOATHOUSE_SQL_PORT": self.sql_port,
                    "BOATHOUSE_HTTP_PORT": self.http_port}
        environment = [word for name, value in settings.items() for word in ("-e", f"{name}={value}")]
        container("run", "--detach", "--network=host", "--name", self.name, "-v", volume, *environment, IMAGE)
        self.wait_ready()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while not self.is_ready():
            assert self.state()["Status"] in ("running", "created", "initialized"), self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def is_ready(self) -> bool:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/readyz", timeout=5).status == 200
        except (OSError, urllib.error.HTTPError):
            return False

    def state(self) -> dict:
        return json.loads(self._container("inspect", self.name).stdout)[0]["State"]

    def log(self) -> str:
        done = self._container("logs", self.name, check=False)
        return done.stdout + done.stderr

    def execute(self, *command: str) -> subprocess.CompletedProcess:
        return self._container("exec", self.name, *command, check=False)

    def stop(self) -> int:
        """What `docker stop` does; the exit code."""
        self._container("stop", "--time", "60", self.name)
        return self.state()["ExitCode"]

    def start(self) -> None:
        self._container("start", self.name)
        self.wait_ready()

    def attach(self) -> duckdb.DuckDBPyConnection:
        """A direct client, outside of the container."""
        client = duckdb.connect(config={"extension_directory": str(self._extensions)})
        client.execute(f"ATTACH 'ducklake:postgres:host=127.0.0.1 port={self.catalog_port} user=admin "
                       f"password={PASSWORD} dbname=lakehouse' AS lake")
        return client

    def discard(self) -> None:
        self._container("rm", "--force", self.name, check=False)
        self._container("run", "--rm", "--network=host", "--user", "root", "-v", f"{self.data_dir}:{self.data_dir}",
                        "--entrypoint", "find", IMAGE, str(self.data_dir), "-mindepth", "1", "-delete", check=False)
        self.data_dir.rmdir()


@pytest.fixture(scope="module")
def box(container, duckdb_prefix):
    running = Running(container, duckdb_prefix / "extensions")
    try:
        yield running
    finally:
        running.discard()


@pytest.fixture(scope="module")
def image(container) -> dict:
    return json.loads(container("image", "inspect", IMAGE).stdout)[0]


def test_the_image_is_small(image):
    assert image["Size"] <= SIZE_MAX_BYTES


def test_the_image_says_what_it_is_and_how_to_run_it(image):
    config = image["Config"]
    assert config["User"] == "boathouse"
    assert config["StopSignal"] == "SIGTERM"
    assert "/var/lib/boathouse" in config["Volumes"]
    assert set(config["ExposedPorts"]) == {"5432/tcp", "5433/tcp", "8080/tcp"}
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == "Boathouse"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.version"]


def test_no_process_runs_as_root(box):
    owners = box.execute("sh", "-c", "stat -c %u /proc/[0-9]*").stdout.split()
    assert len(owners) > 3
    assert "0" not in owners


def test_the_health_check_succeeds(box, image):
    check = (image.get("Healthcheck") or image["Config"]["Healthcheck"])["Test"]
    assert check[0] == "CMD"
    done = box.execute(*check[1:])
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_client_outside_inserts_and_a_restart_keeps_it(box):
    client = box.attach()
    client.execute("CREATE TABLE lake.numbers AS SELECT range AS number FROM range(1000)")
    client.execute("INSERT INTO lake.numbers VALUES (1000)")
    client.close()
    assert box.stop() == 0
    assert not box.is_ready()
    box.start()
    assert box.attach().execute("SELECT count(*), sum(number) FROM lake.numbers").fetchone() == (1001, 500500)
    assert list((box.data_dir / "lake").rglob("*.parquet"))


def test_without_a_password_it_ends_and_says_so(container):
    done = container("run", "--rm", "--network=host", IMAGE, check=False)
    assert done.returncode == 78
    assert "Missing required configuration: POSTGRES_PASSWORD" in done.stderr + done.stdout


def test_an_engine_that_is_killed_comes_back(box):
    killed = box.execute("sh", "-c", 'for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" = '
                         '/usr/libexec/boathouse/boathouse-engine ] && kill -9 "${p#/proc/}" && echo killed; done')
    assert killed.stdout.split() == ["killed"]
    box.wait_ready()
    assert box.attach().execute("SELECT 1").fetchone() == (1,)
