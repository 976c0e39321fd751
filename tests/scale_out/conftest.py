"""Two boxes on one external PostgreSQL and one bucket, and haproxy before them."""

import contextlib
from dataclasses import dataclass

import psycopg
import pytest
from balancer import Balancer
from box_process import Box
from plain_postgres import PlainPostgres

ROLE_PASSWORD = "of-the-cloud"


@dataclass
class Fleet:
    catalog: str  # libpq's parameters of the lake's database
    boxes: list[Box]
    balancer: Balancer

    @staticmethod
    def door(at) -> str:
        """libpq's parameters of a box's SQL door, or of the balancer's. The catalog hides its verifiers: passwords need TLS."""
        return (f"host={at.host} port={at.sql_port} user={at.user} password={at.password} dbname=lake sslmode=require "
                "connect_timeout=60")


@pytest.fixture(scope="package")
def fleet(boathouse, repository, s3):
    with contextlib.ExitStack() as stack:
        postgres = PlainPostgres(max_connections="200")
        stack.callback(postgres.discard)
        postgres.start()
        postgres.execute(f"CREATE ROLE cloud LOGIN CREATEROLE CREATEDB PASSWORD '{ROLE_PASSWORD}'", "CREATE DATABASE lakehouse OWNER cloud")
        url = f"postgresql://cloud:{ROLE_PASSWORD}@{postgres.host}:{postgres.port}/lakehouse"
        settings = s3.box_settings("fleet") | {"BOATHOUSE_CATALOG": url, "POSTGRES_USER": "cloud", "POSTGRES_PASSWORD": ROLE_PASSWORD}
        boxes = []
        for _ in range(2):  # the first one makes the lake
            boxes.append(Box(boathouse, settings=settings))
            stack.callback(boxes[-1].discard)
            boxes[-1].expect("external catalog")
            boxes[-1].start()
        boxes[0].pause_keeper()
        balancer = Balancer(repository / "docs" / "scale-out.md", boxes)
        stack.callback(balancer.discard)
        yield Fleet(postgres.dsn("lakehouse"), boxes, balancer.start())


@pytest.fixture(autouse=True)
def _log_in_over_tls(fleet):
    for box in fleet.boxes:
        box.expect("external catalog")


@pytest.fixture
def doors(fleet):
    """An autocommit session at each box."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(fleet.door(box), autocommit=True)) for box in fleet.boxes]
