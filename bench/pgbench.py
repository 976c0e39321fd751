"""pgbench on a script of one's own, and what it counted."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import setting


@dataclass
class Outcome:
    transactions: int  # acknowledged
    per_second: float
    latency_ms: float  # average


def run(dsn: str, script: str, *flags: str) -> Outcome:
    """Runs `script` at what `dsn` (libpq's parameters) names; `flags` are pgbench's."""
    parts = dict(part.split("=", 1) for part in dsn.split())
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "script.sql"
        file.write_text(script)
        output = subprocess.check_output(
            [setting.plain_postgres.postgres_directory() / "pgbench", "-n", "-f", file, "-h", parts["host"],
             "-p", parts["port"], "-U", parts["user"], *flags, parts["dbname"]],
            env=os.environ | {"PGPASSWORD": parts["password"], "PGSSLMODE": "disable"}, text=True,
            stderr=subprocess.STDOUT)

    def figure(pattern: str) -> str:
        return re.search(pattern, output).group(1)

    return Outcome(int(figure(r"transactions actually processed: (\d+)")),
                   float(figure(r"tps = ([\d.]+)")), float(figure(r"latency average = ([\d.]+) ms")))
