"""An external catalog whose role may not read pg_authid: passwords travel over TLS only, and are tried at the catalog."""

import struct

import pytest
from box_process import running
from plain_postgres import PlainPostgres
from wire import Wire, fields, startup_packet


@pytest.fixture(scope="module")
def catalog():
    """A PostgreSQL with a lake's database owned by `keeper`, who is no superuser, and two more roles."""
    postgres = PlainPostgres()
    try:
        postgres.start()
        postgres.execute(
            "CREATE ROLE lake_reader", "CREATE ROLE lake_writer IN ROLE lake_reader",
            "CREATE ROLE lake_admin IN ROLE lake_writer",
            "CREATE ROLE keeper LOGIN PASSWORD 'keeps-the-lake' IN ROLE lake_admin",
            "CREATE ROLE alice LOGIN PASSWORD 'alice-s own' IN ROLE lake_admin",
            "CREATE ROLE bob LOGIN PASSWORD 'bob-s own'",
            "CREATE DATABASE external OWNER keeper ENCODING 'UTF8' TEMPLATE template0")
        yield postgres
    finally:
        postgres.discard()


@pytest.fixture(scope="module")
def box(boathouse, catalog):
    url = f"postgresql://keeper:keeps-the-lake@127.0.0.1:{catalog.port}/external"
    with running(boathouse, settings={"BOATHOUSE_CATALOG": url, "POSTGRES_DB": "external"}) as box:
        box.expect("external catalog")
        yield box


def test_a_password_over_tls_is_tried_at_the_catalog(box):
    box.expect("external catalog")
    for user, password in [("alice", "alice-s own"), ("keeper", "keeps-the-lake")]:
        with Wire(box) as wire:
            assert wire.encrypt() == b"S"
            assert wire.log_in(user, password).rows("SELECT 1") == [["1"]]


def test_the_password_is_asked_for_in_clear_and_only_over_tls(box):
    box.expect("external catalog|log-in of .* refused")
    with Wire(box) as wire:
        wire.encrypt()
        wire.send(startup_packet({"user": "alice", "database": "lake"}))
        assert wire.read() == ("R", struct.pack("!i", 3))
    with Wire(box) as wire:
        wire.send(startup_packet({"user": "alice", "database": "lake"}))
        (kind, body), = wire.until_closed()
        assert (kind, fields(body)["C"]) == ("E", "28000") and "sslmode=require" in fields(body)["H"]


@pytest.mark.parametrize(("user", "password", "sqlstate"), [
    ("alice", "another's", "28P01"), ("nobody", "alice-s own", "28P01"), ("bob", "bob-s own", "42501"), ("alice", "", "28P01"),
])
def test_wrong_passwords_and_other_roles(box, user, password, sqlstate):
    box.expect("external catalog|log-in of .* refused")
    with Wire(box) as wire:
        wire.encrypt()
        wire.send(startup_packet({"user": user, "database": "lake"}))
        with pytest.raises(PermissionError) as refusal:
            wire.authenticate(password)
        assert refusal.value.args[0]["C"] == sqlstate
