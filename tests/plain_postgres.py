"""A PostgreSQL as it comes: initdb and postgres with their defaults, nothing of the box's.

It stands for somebody else's server: an external catalog in the tests, the other side of the comparisons in the
benchmarks. Owns one process and one directory. PostgreSQL does not run as root, so root starts it as "postgres".
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from loopback import free_port

PASSWORD = "plain-password"
START_TIMEOUT_SECONDS = 60


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


class PlainPostgres:
    host, user, password = "127.0.0.1", "postgres", PASSWORD  # the superuser

    def __init__(self, **settings: str):
        """`settings`: PostgreSQL's own, for what its defaults do not have."""
        self._settings = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.root = Path(tempfile.mkdtemp(prefix="boathouse-plain-"))
        self.root.chmod(0o755)
        self.port = free_port()
        self.as_user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self._process: subprocess.Popen | None = None

    def start(self) -> "PlainPostgres":
        """Initialises the cluster, starts it and waits until it answers."""
        programs = postgres_directory()
        data, password_file = self.root / "postgres", self.root / "password"
        password_file.write_text(PASSWORD)
        if self.as_user:
            for path in (self.root, password_file):
                shutil.chown(path, "postgres", "postgres")
        subprocess.run([programs / "initdb", "-D", data, "-U", self.user, "-A", "scram-sha-256", "--pwfile", password_file,
                        "-E", "UTF8", "--locale=C.UTF-8"], check=True, stdout=subprocess.DEVNULL, cwd=self.root,
                       **self.as_user)
        with open(self.root / "postgres.log", "ab") as log:
            self._process = subprocess.Popen([programs / "postgres", "-D", data, "-p", str(self.port), "-k", self.root, *self._settings],
                                             stdout=log, stderr=log, cwd=self.root, **self.as_user)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                psycopg.connect(self.dsn("postgres")).close()
                return self
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """As the superuser, each statement a transaction of its own."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def dsn(self, database: str) -> str:
        return f"host={self.host} port={self.port} user={self.user} password={self.password} dbname={database}"

    def discard(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
        shutil.rmtree(self.root, ignore_errors=True)
