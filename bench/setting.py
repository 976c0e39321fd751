"""The setting of every benchmark: the box and the plain catalog, started and discarded, and a DuckDB home.

Importing it makes the tests' Box importable and points HOME at a directory that holds the pinned extensions.
"""

import atexit
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests"))

import box_process  # noqa: E402
import plain_catalog  # noqa: E402
import plain_postgres  # noqa: E402


def boathouse() -> Path:
    """The executable under measure: $BOATHOUSE_BIN, else build/release/boathouse."""
    return Path(os.environ.get("BOATHOUSE_BIN", REPOSITORY / "build" / "release" / "boathouse")).resolve()


def _use_duckdb_home() -> None:
    pins = (REPOSITORY / "cmake" / "duckdb.cmake").read_text()
    version = re.search(r"set\(BOATHOUSE_DUCKDB_VERSION ([\d.]+)\)", pins).group(1)
    cache = subprocess.check_output([REPOSITORY / "scripts" / "cache"], text=True).strip()
    prefix = Path(os.environ.get("DUCKDB_ROOT") or Path(cache) / f"duckdb-{version}")
    home = tempfile.mkdtemp(prefix="boathouse-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    shutil.copytree(prefix / "extensions", Path(home) / ".duckdb" / "extensions")
    os.environ["HOME"] = home


@dataclass
class Server:
    attach_string: str  # what stands between the quotes of ATTACH
    door: str = ""  # libpq's parameters of the SQL door; a plain catalog has none


@contextlib.contextmanager
def server(name: str):
    """A running Server, "box" or "plain"."""
    if name == "plain":
        with plain_catalog.running() as catalog:
            yield Server(catalog.attach_string)
    else:
        with box_process.running(boathouse()) as box:
            yield Server(box.attach_string, f"host={box.host} port={box.sql_port} user={box.user} "
                                            f"password={box.password} dbname=lake")


@contextlib.contextmanager
def postgres(**settings: str):
    """A running PostgreSQL of its own, as it comes but for `settings`."""
    server = plain_postgres.PlainPostgres(**settings)
    try:
        yield server.start()
    finally:
        server.discard()


def table(title: str, header: list[str], rows: list[list[str]]) -> None:
    """Prints a table as bench/RESULTS.md keeps it."""
    print(f"\n{title}\n")
    for cells in [header, ["---"] * len(header), *rows]:
        print("| " + " | ".join(cells) + " |", flush=True)


_use_duckdb_home()
