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
    """A container of the image on a data directory of its own. Owns both, from create() to discard()."""

    def __init__(self, container, extension_directory: Path, settings: dict[str, str]):
        self._container = container
        self._extensions = extension_directory
        self.name = f"boathouse-test-{uuid.uuid4().hex[:8]}"
        self.data_dir = Path(tempfile.mkdtemp(prefix="boathouse-image-"))
        self.data_dir.chmod(0o755)
        self.catalog_port, self.sql_port, self.http_port = free_port(), free_port(), free_port()
        self.settings = settings

    def create(self) -> "Running":
        """Starts it and waits until it is ready."""
        volume = f"{self.data_dir}:{self.data_dir}"
        self._container("run", "--rm", "--network=host", "--user", "root", "-v", volume, "--entrypoint", "chown", IMAGE,
                        "boathouse:boathouse", str(self.data_dir))
        settings = {"POSTGRES_PASSWORD": PASSWORD, "BOATHOUSE_DATA_DIR": self.data_dir, "BOATHOUSE_LISTEN": "127.0.0.1",
                    "BOATHOUSE_CATALOG_PORT": self.catalog_port, "BOATHOUSE_SQL_PORT": self.sql_port,
                    "BOATHOUSE_HTTP_PORT": self.http_port} | self.settings
        environment = [word for name, value in settings.items() for word in ("-e", f"{name}={value}")]
        self._container("run", "--detach", "--network=host", "--name", self.name, "-v", volume, *environment, IMAGE)
        self.wait_ready()
        return self

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


@pytest.fixture(scope="session")
def image_name() -> str:
    return IMAGE


@pytest.fixture(scope="module")
def run_box(container, duckdb_prefix):
    """A function that runs a box with further settings: run_box(S3_BUCKET_URL=…) gives it ready."""
    running = []

    def run(**settings: str) -> Running:
        running.append(Running(container, duckdb_prefix / "extensions", settings))
        return running[-1].create()

    yield run
    for box in running:
        box.discard()
