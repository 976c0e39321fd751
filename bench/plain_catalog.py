"""A DuckLake on a PostgreSQL as it comes: initdb and postgres with their defaults, the lake made by a DuckDB client.

The other side of the comparisons: the same PostgreSQL and DuckDB versions as the box, on the same disk, without anything
that the box adds. Owns one process and one directory. PostgreSQL does not run as root, so root starts it as "postgres".
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import duckdb
import psycopg
from loopback import free_port

PASSWORD = "plain-password"


def postgres_directory() -> Path:
    """The directory of initdb and postgres: $BOATHOUSE_PG_BIN, PATH, else Debian's newest."""
    if "BOATHOUSE_PG_BIN" in os.environ:
        return Path(os.environ["BOATHOUSE_PG_BIN"])
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not versions:
        raise SystemExit("no PostgreSQL found: install the package 'postgresql', or set BOATHOUSE_PG_BIN")
    return versions[-1].parent


@contextlib.contextmanager
def running():
    """A started PlainCatalog, discarded at the end."""
    catalog = PlainCatalog()
    try:
        yield catalog.start()
    finally:
        catalog.discard()


class PlainCatalog:
    user, password, database = "postgres", PASSWORD, "lakehouse"

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="boathouse-plain-"))
        self.root.chmod(0o755)
        self.port = free_port()
        self._as_user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self._process: subprocess.Popen | None = None

    def start(self) -> "PlainCatalog":
        """Initialises the cluster, starts it and creates the lake."""
        programs = postgres_directory()
        data, lake, password_file = self.root / "postgres", self.root / "lake", self.root / "password"
        password_file.write_text(PASSWORD)
        lake.mkdir()
        if self._as_user:
            for path in (self.root, lake, password_file):
                shutil.chown(path, "postgres", "postgres")
        subprocess.run([programs / "initdb", "-D", data, "-U", self.user, "-A", "scram-sha-256", "--pwfile", password_file,
                        "-E", "UTF8", "--locale=C.UTF-8"], check=True, stdout=subprocess.DEVNULL, cwd=self.root,
                       **self._as_user)
        log = open(self.root / "postgres.log", "ab")
        self._process = subprocess.Popen([programs / "postgres", "-D", data, "-p", str(self.port), "-k", self.root],
                                         stdout=log, stderr=log, cwd=self.root, **self._as_user)
        self._create_database()
        client = duckdb.connect()
        client.execute("INSTALL ducklake; LOAD ducklake")
        client.execute(f"ATTACH '{self.attach_string}' AS lake (DATA_PATH '{lake}/')")
        client.close()
        return self

    def _create_database(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                with psycopg.connect(self.dsn.replace(f"dbname={self.database}", "dbname=postgres"),
                                     autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE {self.database}")
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def discard(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} user={self.user} password={PASSWORD} dbname={self.database}"

    @property
    def attach_string(self) -> str:
        return f"ducklake:postgres:{self.dsn}"
