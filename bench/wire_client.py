"""A client of PostgreSQL's protocol that costs next to nothing: psycopg logs in, then the bytes of answers are counted.

What is measured with it is the server. One Wire is one connection, used by one thread.
"""

import socket
import struct
import time

import psycopg

_READY = {b"Z\0\0\0\5" + status for status in (b"I", b"T", b"E")}


class Wire:
    def __init__(self, dsn: str):
        self._login = psycopg.connect(dsn, autocommit=True)
        self._socket = socket.socket(fileno=socket.dup(self._login.pgconn.socket))
        self._socket.setblocking(True)
        self._buffer = bytearray(1 << 20)

    def close(self) -> None:
        self._socket.close()
        self._login.close()

    def send(self, sql: str) -> None:
        """A Query whose answer receive() takes."""
        self._socket.sendall(_message(b"Q", sql.encode() + b"\0"))

    def receive(self, count: int) -> int:
        """Takes up to `count` bytes of an answer; how many there were."""
        return len(self._socket.recv(count))

    def query(self, sql: str) -> tuple[float, int]:
        """Sends a Query; seconds and bytes up to ReadyForQuery. Raises on ErrorResponse."""
        return self._answer(_message(b"Q", sql.encode() + b"\0"))

    def binary_query(self, sql: str) -> tuple[float, int]:
        """The same by Parse, Bind, Execute and Sync, with results in the binary format."""
        return self._answer(_message(b"P", b"\0" + sql.encode() + b"\0" + struct.pack(">h", 0)) +
                            _message(b"B", b"\0\0" + struct.pack(">hhhh", 0, 0, 1, 1)) +
                            _message(b"E", b"\0" + struct.pack(">i", 0)) + _message(b"S", b""))

    def _answer(self, request: bytes) -> tuple[float, int]:
        begin = time.perf_counter()
        self._socket.sendall(request)
        total, tail = 0, b""
        while tail[-6:] not in _READY:
            count = self._socket.recv_into(self._buffer)
            if count == 0:
                raise RuntimeError("the server closed the connection")
            if total == 0 and self._buffer[:1] == b"E":
                raise RuntimeError(bytes(self._buffer[:count]))
            total += count
            tail = (tail + bytes(self._buffer[max(0, count - 6):count]))[-6:]
        return time.perf_counter() - begin, total


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">i", len(body) + 4) + body


def copy_in(dsn: str, statement: str, path) -> float:
    """COPY FROM of a file, in messages of 64 kB; seconds."""
    with psycopg.connect(dsn, autocommit=True) as connection, open(path, "rb") as file:
        begin = time.perf_counter()
        with connection.cursor().copy(statement) as copy:
            while block := file.read(65536):
                copy.write(block)
        return time.perf_counter() - begin
