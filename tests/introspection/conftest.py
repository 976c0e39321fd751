"""Fixtures of the tests of introspection: the same tables in a lake and in a PostgreSQL, to ask both the same.

The PostgreSQL is a database of the box's own server, "peer". Its tables are made as the lake's are, so whatever a tool
learns of one it must learn of the other.
"""

import subprocess

import psycopg
import pytest
from box_process import Box, running

SCHEMA = """
CREATE TABLE orders (id int NOT NULL, customer text, amount numeric(10,2) DEFAULT 0, placed timestamptz, tags text[],
                     active boolean DEFAULT true, at_day date, payload json);
CREATE TABLE "Mixed Case" ("Key" bigint NOT NULL, note text);
CREATE SCHEMA shop;
CREATE TABLE shop.items (id bigint, price double precision, made date, code uuid, raw bytea, half real, few smallint);
COMMENT ON TABLE orders IS 'what was ordered';
COMMENT ON COLUMN orders.amount IS 'in euros';
"""
# What the group roles may do in the catalog, the mirror says of its tables.
PRIVILEGES = ["USAGE ON SCHEMAS TO lake_reader", "CREATE ON SCHEMAS TO lake_writer", "SELECT ON TABLES TO lake_reader",
              "INSERT, UPDATE, DELETE ON TABLES TO lake_writer"]


@pytest.fixture(scope="session")
def schema_box(boathouse):
    """A box whose lake, and whose database "peer", have the tables of SCHEMA."""
    with running(boathouse) as box:
        box.pause_keeper()
        with psycopg.connect(**postgres_of(box, "postgres"), autocommit=True) as server:
            server.execute(f'CREATE DATABASE peer OWNER "{box.user}" TEMPLATE template0')
        with psycopg.connect(**postgres_of(box, "peer"), autocommit=True) as peer:
            peer.execute(f'ALTER SCHEMA public OWNER TO "{box.user}"; GRANT CREATE ON SCHEMA public TO lake_writer')
            for privilege in PRIVILEGES:
                peer.execute(f'ALTER DEFAULT PRIVILEGES FOR ROLE "{box.user}" GRANT {privilege}')
        with psycopg.connect(**peer_of(box), autocommit=True) as peer:
            peer.execute(SCHEMA)
        with psycopg.connect(**door_of(box), autocommit=True) as lake:
            for statement in SCHEMA.split(";"):
                if statement.strip():
                    lake.execute(statement)
        yield box


def postgres_of(box: Box, database: str) -> dict:
    """The box's superuser, by the private socket, which root and the box's user may open."""
    return {"host": str(box.data_dir / "run"), "port": box.catalog_port, "user": "boathouse", "dbname": database}


def peer_of(box: Box) -> dict:
    return {"host": box.host, "port": box.catalog_port, "user": box.user, "password": box.password, "dbname": "peer"}


def door_of(box: Box) -> dict:
    return {"host": box.host, "port": box.sql_port, "user": box.user, "password": box.password, "dbname": "lake"}


@pytest.fixture(scope="session")
def door(schema_box) -> dict:
    return door_of(schema_box)


@pytest.fixture(scope="session")
def peer(schema_box) -> dict:
    return peer_of(schema_box)


@pytest.fixture
def lake(door):
    with psycopg.connect(**door, autocommit=True) as connection:
        yield connection


@pytest.fixture
def psql():
    """A function that runs psql on a script against the door or the peer: standard output and errors, as one text."""

    def run(where: dict, script: str, *arguments: str) -> str:
        environment = {"PATH": "/usr/bin:/bin", "PGPASSWORD": where["password"], "PGCONNECT_TIMEOUT": "10"}
        result = subprocess.run(
            ["psql", "-X", "-h", where["host"], "-p", str(where["port"]), "-U", where["user"], "-d", where["dbname"],
             *arguments],
            input=script, capture_output=True, text=True, env=environment, timeout=240)
        return result.stdout + result.stderr

    return run
