"""`boathouse` run to its end, with an environment of its own: what the tests' shell has set must not leak in."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Outcome:
    code: int
    output: str
    errors: str


class Command:
    """One executable and one HOME. Call it with arguments; keyword arguments are environment variables."""

    def __init__(self, executable: Path, home: Path):
        self.executable = executable
        self.home = home

    def __call__(self, *arguments: str, **environment: str) -> Outcome:
        done = subprocess.run([str(self.executable), *arguments], capture_output=True, text=True, timeout=240,
                              cwd=self.home, stdin=subprocess.DEVNULL,
                              env={"PATH": os.environ["PATH"], "HOME": str(self.home), **environment})
        return Outcome(done.returncode, done.stdout, done.stderr)
