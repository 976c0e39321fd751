"""A running Boathouse, as a test sees it: started, waited for, asked, stopped, killed, started again.

A Box owns one process tree and one data directory. The directory is made by mkdtemp and opened to 0755, because a box
that is started as root becomes an unprivileged user; pytest's own tmp_path is closed to that user. Everything is done by
the pids that the box itself started. The log outlives restarts: one file, appended to. running() is how fixtures and
benchmarks make one: it keeps `live`, from which conftest.py reads the logs of the boxes that a test had.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
import psycopg

from loopback import free_port

PASSWORD = "correct-horse-battery"
READY_TIMEOUT_SECONDS = 180
STOP_TIMEOUT_SECONDS = 120
LOG_TIMEOUT_SECONDS = 30

# What a program under test may have from the tests' own environment.
INHERITED = ("BOATHOUSE_PG_BIN", "BOATHOUSE_EXTENSION_DIR", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")

Answer = TypeVar("Answer")

# "2026-11-22 16:23:48.241 warning supervisor: …": the levels that no healthy box writes.
_COMPLAINT = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (warning|error|critical)\s")

# What PostgreSQL may tell when it repeats a DROP DATABASE after it was killed: the directory is gone already.
_REPEATED_DROP = re.compile(r"^.* warning postgres: WARNING:  .*\n"
                            r".* warning postgres: CONTEXT:  WAL redo at \S+ for Database/DROP: .*\n", re.MULTILINE)


live: list["Box"] = []  # every box that is not discarded yet


@contextlib.contextmanager
def running(binary: Path, **options):
    """A started box, discarded at the end; options as for Box."""
    box = Box(binary, **options)
    try:
        yield box.start()
    finally:
        box.discard()


class BoxFailed(Exception):
    """The box ended, or did not get ready in time; the text holds its log."""


class Box:
    """One box. `settings` are environment variables (POSTGRES_DB="x"), `flags` are further arguments of serve."""

    def __init__(self, binary: Path, settings: dict[str, str] | None = None, flags: list[str] | None = None,
                 data_path: str | None = None):
        self.root = Path(tempfile.mkdtemp(prefix="boathouse-test-"))
        self.root.chmod(0o755)
        self.data_dir = self.root / "data"
        self.data_dir.mkdir(mode=0o755)
        self.log_path = self.root / "box.log"
        self.output_path = self.root / "box.out"
        self.binary = binary
        self.host = "127.0.0.1"
        self.catalog_port, self.sql_port, self.http_port = free_port(), free_port(), free_port()
        self.data_path = data_path
        self.flags = flags or []
        self.user, self.password, self.database = "admin", PASSWORD, "lakehouse"
        self.environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.root)}
        self.environment |= {"POSTGRES_USER": self.user, "POSTGRES_PASSWORD": self.password,
                             "POSTGRES_DB": self.database}
        self.environment |= {name: os.environ[name] for name in INHERITED if name in os.environ}
        self.environment |= settings or {}
        self.user = self.environment["POSTGRES_USER"]
        self.password = self.environment["POSTGRES_PASSWORD"]
        self.database = self.environment["POSTGRES_DB"]
        self.process: subprocess.Popen | None = None
        self.expected: list[re.Pattern] = []
        self._checked = 0  # of the log, in characters: what take_complaints() has seen
        self._test_began = 0  # of the log, in characters
        live.append(self)

    # ------------------------------------------------------------------ life

    def arguments(self) -> list[str]:
        """The command line of `boathouse serve`."""
        arguments = [str(self.binary), "serve", "--data-dir", str(self.data_dir), "--listen", self.host,
                     "--catalog-port", str(self.catalog_port), "--sql-port", str(self.sql_port),
                     "--http-port", str(self.http_port)]
        if self.data_path is not None:
            arguments += ["--data-path", self.data_path]
        return arguments + self.flags

    def spawn(self) -> None:
        """Starts the process and does not wait."""
        with open(self.log_path, "ab") as log, open(self.output_path, "wb") as output:
            self.process = subprocess.Popen(self.arguments(), env=self.environment, cwd=self.root,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=log)

    def start(self, timeout_seconds: float = READY_TIMEOUT_SECONDS) -> "Box":
        """Starts the box and waits until it is ready, and has said so. Raises BoxFailed."""
        self.spawn()
        self.wait_ready(timeout_seconds)
        return self

    def wait_ready(self, timeout_seconds: float = READY_TIMEOUT_SECONDS) -> None:
        """The engine answers /readyz a moment before the supervisor notes it and prints what to copy: waits for both."""
        deadline = time.monotonic() + timeout_seconds
        while not (self.is_ready() and "curl " in self.output()):
            if self.process.poll() is not None:
                raise BoxFailed(f"the box ended with exit code {self.process.returncode}:\n{self.log()}")
            if time.monotonic() > deadline:
                raise BoxFailed(f"the box was not ready after {timeout_seconds} s:\n{self.log()}")
            time.sleep(0.05)

    def wait_exit(self, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> int:
        """Waits for the supervisor's end; its exit code."""
        return self.process.wait(timeout_seconds)

    def stop(self) -> int:
        """SIGTERM, then waits; the exit code. A box that is not running: its last exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait_exit()

    def kill(self) -> None:
        """SIGKILL to the supervisor, and waits until its children are gone too."""
        children = self.children()
        self.process.kill()
        self.process.wait()
        _, alive = psutil.wait_procs(children, timeout=STOP_TIMEOUT_SECONDS)
        if alive:
            raise BoxFailed(f"still alive after the supervisor's death: {alive}\n{self.log()}")

    def pause_keeper(self) -> "Box":
        """The keeper commits when its minute has come, and tests that look at what changes between two statements of theirs
        share a box: it does not, there."""
        subprocess.run([self.binary, "keeper", "pause", "--data-dir", self.data_dir], env=self.environment, check=True,
                       capture_output=True)
        return self

    def restart(self) -> "Box":
        """stop() and start() on the same data directory and ports."""
        self.stop()
        return self.start()

    def discard(self) -> None:
        """The end: whatever still runs is killed by pid, the directory removed."""
        live.remove(self)
        if self.process is not None and self.process.poll() is None:
            children = self.children()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                for process in [*children, psutil.Process(self.process.pid)]:
                    if process.is_running():
                        process.kill()
                self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    # ------------------------------------------------------------- questions

    def is_ready(self) -> bool:
        try:
            return self.http("/readyz")[0] == 200
        except OSError:
            return False

    def http(self, path: str) -> tuple[int, str]:
        """GET from the HTTP door: status and text. Raises OSError when nothing answers."""
        try:
            with urllib.request.urlopen(f"{self.http_url}{path}", timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    @property
    def http_url(self) -> str:
        return f"http://{self.host}:{self.http_port}"

    @property
    def dsn(self) -> str:
        """libpq's parameters of the catalog, password included."""
        return (f"host={self.host} port={self.catalog_port} user={self.user} password={self.password} "
                f"dbname={self.database}")

    @property
    def attach_string(self) -> str:
        """What stands between the quotes of ATTACH."""
        return f"ducklake:postgres:{self.dsn}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def children(self) -> list[psutil.Process]:
        """Every process below the supervisor."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def child(self, name: str) -> psutil.Process:
        """The supervisor's direct child whose executable is called `name` ("postgres", "boathouse-engine")."""
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if Path(process.cmdline()[0]).name == name:
                    return process
        raise BoxFailed(f"no child called {name}:\n{self.log()}")

    def ask_children(self, question: Callable[[psutil.Process], Answer]) -> list[Answer]:
        """The question's answers for every process below the supervisor, but for those that end meanwhile: PostgreSQL's
        sessions and workers come and go."""
        answers = []
        for process in self.children():
            with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
                answers.append(question(process))
        return answers

    def output(self) -> str:
        """What the box printed on standard output since its last start."""
        return self.output_path.read_text(errors="replace")

    # -------------------------------------------------------------- the log

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def begin_test(self) -> None:
        """Notes where the log stands: test_log() gives what comes after."""
        self._test_began = len(self.log())

    def test_log(self) -> str:
        return self.log()[self._test_began:]

    def expect(self, pattern: str) -> None:
        """Declares that this test makes the box write warnings or errors that match `pattern`."""
        self.expected.append(re.compile(pattern))

    def take_complaints(self) -> list[str]:
        """Warnings and errors written since the last call that no test declared; forgets the declarations."""
        if self.expected:
            self._await_postgres_log()
        text = self.log()
        fresh, self._checked = _REPEATED_DROP.sub("", text[self._checked:]), len(text)
        complaints = [line for line in fresh.splitlines()
                      if _COMPLAINT.match(line) and not any(pattern.search(line) for pattern in self.expected)]
        self.expected.clear()
        return complaints

    def _await_postgres_log(self) -> None:
        """What PostgreSQL tells goes through a pipe to the supervisor, and is in the log a moment after the client knows: waits
        until a word that is sent now has come out of it. Not if PostgreSQL, or the way through, is gone."""
        word = f"the tests have read so far: {uuid.uuid4()}"
        try:
            with psycopg.connect(self.dsn, connect_timeout=LOG_TIMEOUT_SECONDS, autocommit=True) as connection:
                connection.execute(f"DO $$ BEGIN RAISE LOG '{word}'; END $$")
        except psycopg.Error:
            return
        deadline = time.monotonic() + LOG_TIMEOUT_SECONDS
        while word not in self.log() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
