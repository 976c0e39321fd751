"""A box whose backups go to a directory beside its data directory, and the commands about them."""

import contextlib
import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from box_process import Box

WAIT_SECONDS = 120


@dataclass
class Answer:
    code: int
    output: str
    errors: str

    @property
    def json(self):
        assert self.code == 0, self.errors
        return json.loads(self.output)


class BackedUp:
    """A box and the commands about its backups."""

    def __init__(self, box: Box):
        self.box = box
        self.store = Path(box.environment["BOATHOUSE_BACKUP_TO"])

    def command(self, *arguments: str, **environment: str) -> Answer:
        done = subprocess.run([self.box.binary, *map(str, arguments)], env=self.box.environment | environment,
                              capture_output=True, text=True, timeout=300)
        return Answer(done.returncode, done.stdout, done.stderr)

    def create(self, *arguments: str, **environment: str) -> Answer:
        return self.command("backup", "create", "--data-dir", self.box.data_dir, "--json", *arguments, **environment)

    def listed(self) -> list[str]:
        """The backups' ids."""
        return [entry["id"] for entry in self.command("backup", "list", "--json").json]

    def restore(self, into: Path, *arguments: str, **environment: str) -> Answer:
        return self.command("restore", "--into", into, "--json", *arguments, **environment)

    def rows_as_of(self, to: str, into: Path, **environment: str) -> dict[str, int]:
        """Every table's rows, read from what is restored, which is removed again."""
        tables = self.restore(into, "--deep", "--to", to, **environment).json["tables"]
        shutil.rmtree(into)
        return {table["table"]: table["rows"] for table in tables}

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(host=self.box.host, port=self.box.sql_port, user=self.box.user,
                               password=self.box.password, dbname="lake", autocommit=True)

    def sql(self, text: str) -> list[tuple]:
        with self.connect() as connection:
            answer = connection.execute(text)
            return answer.fetchall() if answer.description else []

    def catalog(self, text: str) -> list[tuple]:
        """A query of the catalog's PostgreSQL as its superuser, through the private socket."""
        with psycopg.connect(host=str(self.box.data_dir / "run"), port=self.box.catalog_port, user="boathouse",
                             dbname=self.box.database, autocommit=True) as connection:
            return connection.execute(text).fetchall()

    def archive_all(self) -> None:
        """Waits until what is committed by now is archived."""
        (last,), = self.catalog("SELECT pg_walfile_name(pg_switch_wal())")
        deadline = time.monotonic() + WAIT_SECONDS
        while not any(path.suffix != ".unfinished" for path in self.store.glob(f"wal/{last}.gz*")):
            assert time.monotonic() < deadline, f"{last} is not archived"
            time.sleep(0.05)


@contextlib.contextmanager
def started(binary: Path, **settings: str):
    """A box that is backed up, discarded at the end."""
    box = Box(binary)
    (box.root / "backups").mkdir()
    (box.root / "backups").chmod(0o777)  # the box's user makes its store in it
    box.environment |= {"BOATHOUSE_BACKUP_TO": str(box.root / "backups" / "lake")} | settings
    try:
        yield BackedUp(box.start())
    finally:
        box.discard()
