"""pgjdbc's DatabaseMetaData: every method answers through the SQL door as of a PostgreSQL with the same tables."""

import re
from pathlib import Path

import psycopg
import pytest
import runners

PROGRAM = Path(__file__).with_name("Metadata.java")
DEPENDENCY = "<dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId><version>42.7.8</version></dependency>"
# What is not the same, and why.
DIFFERENT = {
    "getDatabaseProductVersion": "the door has a version of its own",
    "getDatabaseMinorVersion": "the door has a version of its own",
}
# What the mirror has for itself, and where PostgreSQL keeps long values, which has the table's number in its name.
OURS = re.compile(r"pg_boathouse|boathouse_refuse|pg_toast_\d{5,}|^\[_(state|schema|relation|attribute|macro|owned), 2003")


@pytest.fixture(scope="module")
def java(cache) -> runners.Java:
    return runners.Java(cache)


@pytest.fixture
def view(door, peer):
    for where in (door, peer):
        with psycopg.connect(**where, autocommit=True) as connection:
            connection.execute("CREATE VIEW open_orders AS SELECT id, customer FROM orders WHERE active")
    yield
    for where in (door, peer):
        with psycopg.connect(**where, autocommit=True) as connection:
            connection.execute("DROP VIEW open_orders")


def answers(java: runners.Java, home: Path, where: dict) -> dict[str, list[str]]:
    """By call: its answer's lines, sorted, for PostgreSQL leaves the order of equals open. Both databases are called "lake";
    numbers of objects are left out."""
    url = f"jdbc:postgresql://{where['host']}:{where['port']}/{where['dbname']}"
    printed = java.run(DEPENDENCY, PROGRAM.read_text(), home, url, where["user"], where["dbname"], PASSWORD=where["password"])
    calls: dict[str, list[str]] = {}
    for line in printed.splitlines():
        line = re.sub(r"\bpeer\b", "lake", line)
        if line.startswith("= "):
            lines = calls[line[2:]] = []
        elif not OURS.search(line):
            lines.append(re.sub(r"(?<!\d)\d{5,}\b", "NUMBER", line))
    return {call: sorted(lines) for call, lines in calls.items()}


@pytest.mark.timeout(900)  # the first time, downloads
def test_every_method_of_database_metadata(java, door, peer, view, tmp_path):
    through_door, direct = answers(java, tmp_path, door), answers(java, tmp_path, peer)
    assert through_door.keys() == direct.keys()
    methods = {call.split("[")[0] for call in direct}
    assert len(methods) > 150 and DIFFERENT.keys() <= methods
    differing = {call: (through_door[call], direct[call]) for call in direct if through_door[call] != direct[call]}
    assert {call.split("[")[0] for call in differing} == DIFFERENT.keys(), differing
    assert len(direct["getUDTs[null, null, null, null]"]) > 50
    assert any("what was ordered" in line for line in direct["getTables[null, public, orders, null]"])
