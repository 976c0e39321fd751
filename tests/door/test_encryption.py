"""TLS at the SQL door: how it begins, what goes through it, how it ends."""

import socket
import ssl
import struct

import psycopg
import pytest
from wire import (GSS_REQUEST, SSL_REQUEST, SYNC, TERMINATE, Closed, Wire, bind, execute, fields, parse, query, row,
                  startup_packet)

def test_encryption_requests(box):
    with Wire(box) as wire:
        wire.send(struct.pack("!ii", 8, GSS_REQUEST))
        assert wire.read_bytes(1) == b"N"
        assert wire.encrypt() == b"S"
        wire.send(struct.pack("!ii", 8, SSL_REQUEST))
        assert wire.read_bytes(1) == b"N"
        assert wire.log_in().rows("SELECT 1") == [["1"]]


def direct_tls(box, protocols: list[str]) -> Wire:
    """A connection that is encrypted from its first byte: sslnegotiation=direct."""
    wire = Wire(box)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    wire.socket = context.wrap_socket(wire.socket)
    return wire


def test_direct_encryption(box):
    with direct_tls(box, ["postgresql"]) as wire:
        assert wire.socket.selected_alpn_protocol() == "postgresql"
        assert wire.log_in().rows("SELECT 1") == [["1"]]


def test_direct_encryption_needs_the_protocols_name(box):
    """Without it, a client of something else could be talked into speaking PostgreSQL (ALPACA)."""
    with direct_tls(box, []) as wire:
        with pytest.raises((Closed, OSError)):
            wire.send(startup_packet({"user": box.user, "database": "lake"}))
            wire.read()
    with pytest.raises(OSError, match=r"."):
        direct_tls(box, ["http/1.1"])


def test_bytes_before_encryption_are_not_taken(box):
    """CVE-2021-23222: what came in clear must not be read as if it had been encrypted."""
    with Wire(box) as wire:
        wire.send(struct.pack("!ii", 8, SSL_REQUEST) + startup_packet({"user": box.user}))
        assert wire.until_closed() == []


def test_tls_required(new_box):
    box = new_box(settings={"BOATHOUSE_TLS": "require"})
    with Wire(box) as wire:
        wire.send(startup_packet({"user": box.user, "database": "lake"}))
        (_kind, body), = wire.until_closed()
        assert fields(body)["C"] == "28000" and "sslmode=require" in fields(body)["M"]
    with Wire(box) as wire:
        assert wire.encrypt() == b"S"
        assert wire.log_in().rows("SELECT 1") == [["1"]]


def test_tls_off(new_box):
    box = new_box(settings={"BOATHOUSE_TLS": "off"})
    with Wire(box) as wire:
        assert wire.encrypt() == b"N"
        assert wire.log_in().rows("SELECT 1") == [["1"]]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(box, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    with Wire(box) as wire:
        wire.send(struct.pack("!ii", 8, SSL_REQUEST))
        assert wire.read_bytes(1) == b"S"
        wire.socket = context.wrap_socket(wire.socket)
        assert wire.log_in().rows("SELECT 1") == [["1"]]
        # Neither is a session kept for another connection.
        assert not wire.socket.session.has_ticket


def test_old_versions_are_refused(box):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Wire(box) as wire:
        wire.send(struct.pack("!ii", 8, SSL_REQUEST))
        assert wire.read_bytes(1) == b"S"
        with pytest.raises(OSError, match=r"."):
            context.wrap_socket(wire.socket)


@pytest.fixture
def encrypted(box):
    with Wire(box) as wire:
        wire.encrypt()
        yield wire.log_in()


def test_much_goes_both_ways(box, table):
    lines = b"".join(b"%d\t%s\n" % (i, b"x" * (i % 100)) for i in range(200_000))
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                         sslmode="require", autocommit=True) as client:
        with client.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            copy.write(lines)
        with client.cursor().copy(f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT") as copy:
            assert b"".join(copy) == lines
        assert client.execute(f"SELECT sum(length(name)) FROM {table}").fetchone() == (200_000 // 100 * 4950,)


def test_a_reader_that_dawdles_gets_everything(encrypted):
    """More than all buffers on the way hold, taken in small pieces: the server waits for the socket again and again."""
    encrypted.send(query("SELECT i, repeat('x', 1000) FROM range(30000) AS a(i)"))
    rows = [row(body) for kind, body in encrypted.until("Z") if kind == "D"]
    assert rows == [[str(i), "x" * 1000] for i in range(30_000)]


def test_messages_that_come_together(encrypted):
    """Many small ones in one record, and many records at once: none waits for a byte that is there already."""
    encrypted.send(*(parse("SELECT $1::int") + bind(parameters=(i,)) + execute() for i in range(2000)), SYNC)
    answers = [row(body) for kind, body in encrypted.until("Z") if kind == "D"]
    assert answers == [[str(i)] for i in range(2000)]


def test_a_byte_at_a_time(encrypted):
    for byte in query("SELECT 'slowly'"):
        encrypted.send(bytes([byte]))
    assert [row(body) for kind, body in encrypted.until("Z") if kind == "D"] == [["slowly"]]


def test_the_server_says_goodbye(encrypted):
    encrypted.send(TERMINATE)
    # Its absence would be an error: ssl.SSLEOFError.
    assert encrypted.socket.recv(1) == b""


@pytest.mark.parametrize("when", ["before the handshake", "within the handshake", "within a result"])
def test_clients_that_vanish(box, when):
    with Wire(box) as wire:
        if when == "within a result":
            wire.encrypt()
            wire.log_in().send(query("SELECT i, repeat('x', 1000) FROM range(1000000000) AS a(i)"))
            wire.read()
        else:
            wire.send(struct.pack("!ii", 8, SSL_REQUEST))
            assert wire.read_bytes(1) == b"S"
        if when == "within the handshake":
            wire.send(b"\x16\x03\x01\x02\x00\x01")
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with Wire(box) as other:
        other.encrypt()
        assert other.log_in().rows("SELECT 1") == [["1"]]


def test_nonsense_instead_of_a_handshake(box):
    with Wire(box) as wire:
        wire.send(struct.pack("!ii", 8, SSL_REQUEST))
        assert wire.read_bytes(1) == b"S"
        wire.send(b"GET / HTTP/1.1\r\n\r\n")
        wire.until_closed()
