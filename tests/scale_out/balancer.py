"""haproxy as docs/scale-out.md has it, in front of boxes of this machine: the page's configuration with their ports in it."""

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from loopback import free_port
from markdown_page import Page

START_TIMEOUT_SECONDS = 60


class Balancer:
    """One process, one directory. It has the boxes' addresses, and nothing else of them that a balancer would not know."""

    host = "127.0.0.1"

    def __init__(self, page: Path, boxes):
        self.root = Path(tempfile.mkdtemp(prefix="boathouse-balancer-"))
        self.sql_port, self.http_port = free_port(), free_port()
        self.user, self.password = boxes[0].user, boxes[0].password
        ports = {"5433": "sql_port", "8080": "http_port"}
        text = Page(page).block("The balancer", "haproxy")
        for port, name in ports.items():
            text = text.replace(f"bind :{port}", f"bind {self.host}:{getattr(self, name)}")
            for number, box in enumerate(boxes, 1):
                text = text.replace(f"10.0.0.{number}:{port}", f"{box.host}:{getattr(box, name)} port {box.http_port}")
        assert not re.search(r"bind :|10\.0\.0\.", text), "the page's configuration has changed"
        self.file = self.root / "haproxy.cfg"
        self.file.write_text(text)
        self._process: subprocess.Popen | None = None

    def start(self) -> "Balancer":
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        with open(self.root / "haproxy.log", "ab") as log:
            self._process = subprocess.Popen([program, "-db", "-f", self.file], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._listens():
            assert self._process.poll() is None and time.monotonic() < deadline, (self.root / "haproxy.log").read_text()
            time.sleep(0.05)
        return self

    def _listens(self) -> bool:
        import socket
        try:
            socket.create_connection((self.host, self.sql_port), timeout=5).close()
            return True
        except OSError:
            return False

    def discard(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.root, ignore_errors=True)
