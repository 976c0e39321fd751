"""PostgreSQL's protocol by hand: for what drivers hide, message by message.

A Wire is one socket to the SQL door. send() writes messages, read() gives the next one as (type, body), until() those up
to a type. Log-in is SCRAM-SHA-256, or the password in clear where the server asks for that. Every read has a deadline, so
that a server that does not answer fails a test instead of hanging it.
"""

import base64
import functools
import hashlib
import hmac
import os
import socket
import ssl
import struct

TIMEOUT_SECONDS = 60
PROTOCOL_3_0 = 196608
SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102


class Closed(Exception):
    """The server has closed the connection."""


def cstring(text: str) -> bytes:
    return text.encode() + b"\0"


def startup_packet(parameters: dict[str, str], version: int = PROTOCOL_3_0) -> bytes:
    body = struct.pack("!i", version) + b"".join(cstring(k) + cstring(v) for k, v in parameters.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def query(text: str) -> bytes:
    return message("Q", cstring(text))


def parse(text: str, name: str = "", types: tuple[int, ...] = ()) -> bytes:
    return message("P", cstring(name) + cstring(text) + struct.pack(f"!h{len(types)}i", len(types), *types))


def bind(portal: str = "", statement: str = "", parameters: tuple = (), binary: bool = False) -> bytes:
    values = b"".join(struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
                      for value in (p if p is None else str(p).encode() for p in parameters))
    return message("B", cstring(portal) + cstring(statement) + struct.pack("!hh", 0, len(parameters)) + values +
                   struct.pack("!hh", 1, int(binary)))


def describe(kind: str, name: str = "") -> bytes:
    return message("D", kind.encode() + cstring(name))


def execute(portal: str = "", rows: int = 0) -> bytes:
    return message("E", cstring(portal) + struct.pack("!i", rows))


def copy_data(data: bytes) -> bytes:
    return message("d", data)


COPY_DONE = message("c")
SYNC, FLUSH, TERMINATE = message("S"), message("H"), message("X")


def fields(body: bytes) -> dict[str, str]:
    """An ErrorResponse or NoticeResponse: "C" SQLSTATE, "M" message, "H" hint …"""
    return {part[:1].decode(): part[1:].decode() for part in body.rstrip(b"\0").split(b"\0")}


def row(body: bytes) -> list[str | None]:
    """A DataRow of text values."""
    (count,), at, values = struct.unpack("!h", body[:2]), 2, []
    for _ in range(count):
        (length,) = struct.unpack("!i", body[at:at + 4])
        values.append(None if length < 0 else body[at + 4:at + 4 + length].decode())
        at += 4 + max(length, 0)
    return values


@functools.lru_cache
def salted_password(password: str, salt: str, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), iterations)


class Wire:
    def __init__(self, box, port: int | None = None):
        self.box = box
        self.address = (box.host, port or box.sql_port)
        self.socket = socket.create_connection(self.address, TIMEOUT_SECONDS)
        self.key: tuple[int, int] | None = None
        self.parameters: dict[str, str] = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    # ---------------------------------------------------------------- bytes

    def send(self, *messages: bytes) -> None:
        self.socket.sendall(b"".join(messages))

    def read_bytes(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed
            data += more
        return data

    def read(self) -> tuple[str, bytes]:
        head = self.read_bytes(5)
        return head[:1].decode(), self.read_bytes(struct.unpack("!i", head[1:])[0] - 4)

    def until(self, kind: str) -> list[tuple[str, bytes]]:
        messages = [self.read()]
        while messages[-1][0] != kind:
            messages.append(self.read())
        return messages

    def until_closed(self) -> list[tuple[str, bytes]]:
        messages = []
        try:
            while True:
                messages.append(self.read())
        except Closed:
            return messages

    # --------------------------------------------------------------- log-in

    def encrypt(self) -> bytes:
        """SSLRequest; the server's answer. On "S" the socket is encrypted from here on."""
        self.send(struct.pack("!ii", 8, SSL_REQUEST))
        answer = self.read_bytes(1)
        if answer == b"S":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        return answer

    def log_in(self, user: str | None = None, password: str | None = None, then: bytes = b"",
               **parameters: str) -> "Wire":
        """From the start-up packet to ReadyForQuery. Raises PermissionError with the server's fields. `then`: messages
        that go out together with the proof of the password, before the server has said that it is ready."""
        self.send(startup_packet({"user": user or self.box.user, "database": "lake"} | parameters))
        self.authenticate(password or self.box.password, then)
        for kind, body in self.until("Z"):
            if kind == "S":
                name, value = body.split(b"\0")[:2]
                self.parameters[name.decode()] = value.decode()
            if kind == "K":
                self.key = struct.unpack("!ii", body)
        return self

    def authenticate(self, password: str, then: bytes = b"") -> None:
        while True:
            kind, body = self.read()
            if kind == "E":
                raise PermissionError(fields(body))
            if kind != "R":
                continue
            (request,) = struct.unpack("!i", body[:4])
            if request == 0:
                return
            if request == 3:
                self.send(message("p", cstring(password)))
            if request == 10:
                self._first = "n=,r=" + base64.b64encode(os.urandom(18)).decode()
                first = b"n,," + self._first.encode()
                self.send(message("p", cstring("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first))
            if request == 11:
                self.send(message("p", self._final(password, body[4:].decode())), then)

    def _final(self, password: str, challenge: str) -> bytes:
        values = dict(part.split("=", 1) for part in challenge.split(","))
        salted = salted_password(password, values["s"], int(values["i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = f"c=biws,r={values['r']}"
        signed = f"{self._first},{challenge},{without_proof}".encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    # ----------------------------------------------------------- statements

    def run(self, text: str) -> list[tuple[str, bytes]]:
        """A Query message and everything up to ReadyForQuery."""
        self.send(query(text))
        return self.until("Z")

    def status(self, text: str) -> str:
        """The transaction status after a Query message: I, T or E."""
        return self.run(text)[-1][1].decode()

    def error(self, text: str) -> dict[str, str]:
        """The fields of the error that a Query message ends with."""
        return next(fields(body) for kind, body in self.run(text) if kind == "E")

    def rows(self, text: str) -> list[list[str | None]]:
        messages = self.run(text)
        for kind, body in messages:
            assert kind != "E", fields(body)
        return [row(body) for kind, body in messages if kind == "D"]

    def tags(self, text: str) -> list[str]:
        return [body.rstrip(b"\0").decode() for kind, body in self.run(text) if kind == "C"]

    def cancel(self) -> None:
        """CancelRequest with this connection's key, on a connection of its own."""
        with socket.create_connection(self.address, TIMEOUT_SECONDS) as other:
            other.sendall(struct.pack("!iiii", 16, CANCEL_REQUEST, *self.key))
            other.recv(1)
