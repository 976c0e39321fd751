"""Start-up packets: versions, options, and what is no start-up packet at all."""

import socket
import struct

import pytest
from wire import PROTOCOL_3_0, SSL_REQUEST, Wire, fields, message, startup_packet


def negotiated(body: bytes) -> tuple[int, list[str]]:
    version, count = struct.unpack("!ii", body[:8])
    return version, [name.decode() for name in body[8:].split(b"\0")[:count]]


@pytest.mark.parametrize("minor", [1, 2, 9999])
def test_newer_minor_versions_are_told_ours(box, minor):
    with Wire(box) as wire:
        wire.send(startup_packet({"user": box.user, "database": "lake"}, PROTOCOL_3_0 + minor))
        kind, body = wire.read()
        assert (kind, negotiated(body)) == ("v", (PROTOCOL_3_0, []))
        wire.authenticate(box.password)
        assert wire.until("Z")[-1] == ("Z", b"I")


def test_unknown_protocol_options_are_named(box):
    with Wire(box) as wire:
        wire.send(startup_packet({"user": box.user, "database": "lake", "_pq_.one": "1", "_pq_.two": "2"}))
        kind, body = wire.read()
        assert (kind, negotiated(body)) == ("v", (PROTOCOL_3_0, ["_pq_.one", "_pq_.two"]))
        wire.authenticate(box.password)
        assert wire.until("Z")[-1] == ("Z", b"I")


@pytest.mark.parametrize("version", [2 << 16, 4 << 16])
def test_other_major_versions_are_refused(box, version):
    with Wire(box) as wire:
        wire.send(startup_packet({"user": box.user}, version))
        (kind, body), = wire.until_closed()
        assert kind == "E" and "unsupported frontend protocol" in fields(body)["M"]


@pytest.mark.parametrize("packet", [
    b"GET / HTTP/1.1\r\nHost: lake\r\n\r\n",
    struct.pack("!i", 3),
    struct.pack("!ii", -1, 0),
    struct.pack("!i", 100_000) + b"x" * 1000,
    struct.pack("!ii", 12, PROTOCOL_3_0) + b"user",
    struct.pack("!ii", 9, SSL_REQUEST) + b"!",
], ids=["http", "too short", "negative", "too long", "no terminator", "ssl request with more"])
def test_what_is_no_startup_packet(box, packet):
    with Wire(box) as wire:
        wire.send(packet)
        (kind, body), = wire.until_closed()
        assert kind == "E" and fields(body)["C"] == "08P01" and "startup packet" in fields(body)["M"]


@pytest.mark.parametrize(("parameters", "sqlstate"), [
    ({"database": "lake"}, "28000"),
    ({"user": "admin", "database": "elsewhere"}, "3D000"),
    ({"user": "admin", "database": "lake", "replication": "true"}, "0A000"),
    ({"user": "admin", "database": "lake", "no_such_setting": "1"}, "42704"),
    ({"user": "admin", "database": "lake", "statement_timeout": "soon"}, "22023"),
])
def test_startup_parameters_are_checked(box, parameters, sqlstate):
    box.expect("log-in of .* refused")
    with Wire(box) as wire:
        wire.send(startup_packet(parameters))
        (kind, body), = wire.until_closed()
        assert kind == "E" and fields(body)["C"] == sqlstate
        assert fields(body)["S"] == "FATAL"


def test_startup_settings_are_the_sessions_defaults(wire):
    door = wire(application_name="mine", options="-c statement_timeout=5min -c search_path=main,other")
    assert door.parameters["application_name"] == "mine"
    door.rows("SET statement_timeout = 0; SET application_name = 'other'")
    door.rows("RESET ALL")
    assert door.rows("SHOW statement_timeout") == [["5min"]]
    assert door.rows("SHOW application_name") == [["mine"]]


@pytest.mark.parametrize("reply", [message("Q", b"SELECT 1\0"), message("p", b"PLAIN\0\0\0\0\0"), message("p", b"")],
                         ids=["a query", "another mechanism", "nothing"])
def test_nonsense_in_place_of_a_proof(box, reply):
    with Wire(box) as wire:
        wire.send(startup_packet({"user": box.user, "database": "lake"}))
        assert wire.read()[0] == "R"
        wire.send(reply)
        (kind, body), = wire.until_closed()
        assert kind == "E" and fields(body)["C"] == "08P01"


def test_messages_before_log_in_are_small(box):
    with Wire(box) as wire:
        wire.send(startup_packet({"user": box.user, "database": "lake"}))
        wire.read()
        wire.send(b"p" + struct.pack("!i", 1 << 20))
        (kind, body), = wire.until_closed()
        assert kind == "E" and fields(body)["C"] == "08P01"


def test_messages_have_a_limit(door):
    """256 MiB: the length alone is refused, before its bytes are awaited."""
    door.send(b"Q" + struct.pack("!i", (256 << 20) + 5))
    (kind, body), = door.until_closed()
    assert kind == "E" and fields(body)["C"] == "08P01" and "length" in fields(body)["M"]


def test_unknown_message_type(door):
    door.send(message("y"))
    (kind, body), = door.until_closed()
    assert kind == "E" and fields(body)["C"] == "08P01"


def test_half_a_startup_packet_and_gone(box):
    with socket.create_connection((box.host, box.sql_port)) as half:
        half.sendall(struct.pack("!i", 50) + b"abc")
    with Wire(box) as wire:
        assert wire.log_in().rows("SELECT 1") == [["1"]]
