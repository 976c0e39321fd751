"""TLS at the HTTP door: one port for both kinds of clients, how it begins, what goes through it, how it ends."""

import contextlib
import http.client
import json
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time
import urllib.error
import urllib.request

import psycopg
import pytest
import requests
from box_process import running
from http_client import SQL, Client

DEADLINE_SECONDS = 120


@pytest.fixture
def trusted(box, tmp_path):
    """The box's certificate, where a client keeps what it trusts."""
    return shutil.copy(box.data_dir / "tls" / "self-signed.crt", tmp_path / "root.crt")


def careless() -> ssl.SSLContext:
    """Trusts everybody, and takes old versions where it is told to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@contextlib.contextmanager
def connected(box, context=None):
    """A connection to the port, encrypted if there is a context; nothing is sent yet."""
    with socket.create_connection((box.host, box.http_port), timeout=DEADLINE_SECONDS) as plain:
        if context is None:
            yield plain
            return
        with context.wrap_socket(plain, server_hostname="localhost") as encrypted:
            yield encrypted


def all_of(connection) -> bytes:
    """Everything until the server closes, in whichever way."""
    said = b""
    with contextlib.suppress(OSError):
        while more := connection.recv(65536):
            said += more
    return said


def test_curl(box, client, table, trusted):
    arguments = ["curl", "--silent", "--show-error", "--fail-with-body", "--cacert", trusted, "--user",
                 f"{box.user}:{box.password}"]
    address = f"https://localhost:{box.http_port}"
    resolved = ["--resolve", f"localhost:{box.http_port}:{box.host}"]
    rows = "".join(f'{{"id": {i}, "name": "{"x" * (i % 1000)}"}}\n' for i in range(5000))
    written = subprocess.run([*arguments, *resolved, "-H", "Content-Type: application/x-ndjson", "--data-binary", "@-",
                              f"{address}/v1/tables/{table}/rows"], input=rows.encode(), capture_output=True, check=True)
    assert json.loads(written.stdout)["rows"] == 5000
    answer = subprocess.run([*arguments, *resolved, "-H", f"Content-Type: {SQL}", "--data-binary",
                             f"SELECT id, name FROM {table} ORDER BY id", f"{address}/v1/sql"],
                            capture_output=True, check=True)
    assert json.loads(answer.stdout) == [{"id": i, "name": "x" * (i % 1000)} for i in range(5000)]


def test_requests_keeps_its_connection(box, trusted):
    with requests.Session() as session:
        session.auth = (box.user, box.password)
        session.headers["Content-Type"] = SQL
        for i in range(20):
            answer = session.post(f"https://localhost:{box.http_port}/v1/sql", data=f"SELECT {i} AS i",
                                  verify=str(trusted), timeout=60)
            assert answer.json() == [{"i": i}]


def test_a_certificate_that_is_not_trusted(box):
    with pytest.raises(requests.exceptions.SSLError, match="certificate verify failed"):
        requests.get(f"https://localhost:{box.http_port}/healthz", timeout=60)


def test_health_is_open_to_both(box, trusted):
    context = ssl.create_default_context(cafile=trusted)
    for path in ("healthz", "readyz", "metrics"):
        encrypted = urllib.request.urlopen(f"https://localhost:{box.http_port}/{path}", context=context, timeout=60)
        assert encrypted.status == 200
        assert box.http(f"/{path}")[0] == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(box, version):
    context = careless()
    context.minimum_version = context.maximum_version = version
    with connected(box, context) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert all_of(connection).startswith(b"HTTP/1.1 200")
        assert not connection.session.has_ticket


def test_old_versions_are_refused(box):
    context = careless()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match=r"(?i)version|alert"), connected(box, context):
        pass


@pytest.mark.parametrize(("offered", "chosen"), [(["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), ([], None)])
def test_protocols(box, offered, chosen):
    context = careless()
    if offered:
        context.set_alpn_protocols(offered)
    with connected(box, context) as connection:
        assert connection.selected_alpn_protocol() == chosen


def test_clients_of_something_else_are_refused(box):
    """A client that has come to the wrong door must not be talked into speaking HTTP (ALPACA)."""
    context = careless()
    context.set_alpn_protocols(["postgresql"])
    with pytest.raises(ssl.SSLError, match=r"(?i)alert"), connected(box, context):
        pass


def test_the_server_says_goodbye(box):
    with connected(box, careless()) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while connection.recv(4096):  # its absence would be an error: ssl.SSLEOFError
            pass


def test_nonsense_that_begins_like_a_handshake(box):
    for nonsense in (b"\x16\x03\x01\x02\x00\x01" + b"\xff" * 600, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"):
        with connected(box) as connection:
            connection.sendall(nonsense)
            assert not all_of(connection).startswith(b"HTTP/1.1 200")
    assert box.http("/healthz")[0] == 200


@pytest.mark.parametrize("sent", [b"\x16", b"\x16\x03\x01\x02\x00\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"])
def test_clients_that_vanish_within_the_handshake(box, sent):
    with connected(box) as connection:
        connection.sendall(sent)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert box.http("/healthz")[0] == 200


def test_what_comes_before_encryption_is_not_taken(box):
    """CVE-2021-23222: a request that was sent in clear must not be read as if it had been encrypted."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = careless().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with connected(box) as connection:
        connection.sendall(outgoing.read() + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP/1.1" not in all_of(connection)


def test_a_body_that_is_refused_while_it_is_sent(box, table, trusted):
    """The client reads why, although it has not sent everything."""
    connection = http.client.HTTPSConnection("localhost", box.http_port, timeout=DEADLINE_SECONDS,
                                             context=ssl.create_default_context(cafile=trusted))
    connection.putrequest("POST", f"/v1/tables/{table}/rows")
    for name, value in {"Content-Type": "text/csv", "Content-Length": str(1 << 30),
                        "Authorization": Client(box).authorization}.items():
        connection.putheader(name, value)
    connection.endheaders()
    with contextlib.suppress(OSError):
        for _ in range(64):
            connection.send(b"x" * 65536)
    response = connection.getresponse()
    assert response.status == 413 and "http_body_mb" in json.loads(response.read())["hint"]


@pytest.fixture(scope="module")
def strict(boathouse):
    """A box that takes passwords over TLS only and runs one statement at a time."""
    with running(boathouse, settings={"BOATHOUSE_TLS": "require", "BOATHOUSE_SQL_RUNNING_MAX": "1"}) as box:
        yield box


def ask_encrypted(box, sql: str):
    return requests.post(f"https://localhost:{box.http_port}/v1/sql", sql, timeout=DEADLINE_SECONDS,
                         auth=(box.user, box.password), headers={"Content-Type": SQL},
                         verify=str(shutil.copy(box.data_dir / "tls" / "self-signed.crt", box.root / "root.crt")))


def test_required(strict):
    """Of this machine too; who only asks how the box is may go on as he did."""
    refused = Client(strict).sql("SELECT 1 AS one")
    assert refused.status == 403 and "https://" in refused.json["hint"]
    assert strict.http("/readyz")[0] == 200
    assert ask_encrypted(strict, "SELECT 1 AS one").json() == [{"one": 1}]


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_a_client_that_hangs_up_ends_its_statement(strict, says_goodbye):
    sql = b"SELECT count(*) FROM range(1000000000) a, range(1000000000) b"
    with connected(strict, careless()) as connection:
        connection.sendall(b"POST /v1/sql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sql\r\nAuthorization: "
                           + Client(strict).authorization.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(sql) + sql)
        if says_goodbye:
            connection.settimeout(0.5)  # the server says none as long as it answers
            with contextlib.suppress(OSError):
                connection.unwrap()
    # There is room for this one only once the other is over.
    assert ask_encrypted(strict, "SELECT 1 AS one").json() == [{"one": 1}]


def test_off(boathouse):
    with running(boathouse, settings={"BOATHOUSE_TLS": "off"}) as box:
        assert Client(box).rows("SELECT 1 AS one") == [{"one": 1}]
        with connected(box) as connection:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01" + b"\x00" * 20)
            assert all_of(connection).startswith(b"HTTP/1.1 400")


def make_certificate(directory, name: str) -> None:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", directory / "server.key", "-out", directory / "server.crt", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},DNS:localhost"],
                   check=True, capture_output=True)
    (directory / "server.key").chmod(0o644)  # the box's user reads it again


def test_a_renewed_certificate(new_box):
    """SIGHUP: from then on both doors show it."""
    box = new_box(start=False)
    make_certificate(box.root, "first.example")
    box.environment |= {"BOATHOUSE_TLS_CERT_FILE": str(box.root / "server.crt"),
                        "BOATHOUSE_TLS_KEY_FILE": str(box.root / "server.key")}
    box.start()

    def is_shown() -> bool:
        trusted = ssl.create_default_context(cafile=box.root / "server.crt")
        try:
            urllib.request.urlopen(f"https://localhost:{box.http_port}/healthz", context=trusted, timeout=60)
            psycopg.connect(host="localhost", port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                            sslmode="verify-full", sslrootcert=box.root / "server.crt").close()
        except (urllib.error.URLError, psycopg.OperationalError):
            return False
        return True

    assert is_shown()
    make_certificate(box.root, "second.example")
    assert not is_shown()
    box.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_shown():
        assert time.monotonic() < deadline, "the old certificate is still shown"
        time.sleep(0.1)
