"""Django: inspectdb writes the same models as of a PostgreSQL with the tables, and its ORM works with the lake's as with
PostgreSQL's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

PROGRAM = Path(__file__).with_name("django_program.py")
PRODUCT = """CREATE TABLE product (id bigint NOT NULL, name varchar(50) NOT NULL, price numeric(8,2), made timestamptz, details json,
                                   active boolean NOT NULL)"""


def run_django(where: dict, command: str) -> str:
    done = subprocess.run([sys.executable, PROGRAM, command], capture_output=True, text=True, timeout=120,
                          env={"PATH": os.environ["PATH"], "CONNECTION": json.dumps(where)})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_inspectdb_writes_the_same_models(door, peer):
    models = run_django(door, "inspectdb")
    assert models == run_django(peer, "inspectdb")
    assert "class Orders(models.Model):" in models and "in euros" in models


@pytest.fixture
def product(door, peer):
    """The table in both databases."""
    for where in (door, peer):
        with psycopg.connect(**where, autocommit=True) as connection:
            connection.execute(PRODUCT)
    yield
    for where in (door, peer):
        with psycopg.connect(**where, autocommit=True) as connection:
            connection.execute("DROP TABLE product")


def test_the_orm_works_the_same(door, peer, product):
    printed = run_django(door, "orm")
    assert printed == run_django(peer, "orm")
    assert "bulk 4" in printed and "deleted" in printed
