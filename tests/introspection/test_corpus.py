"""Statements that real clients send about the system catalogs, captured from them; corpus/README.md says how.

Each is answered through the SQL door as by a PostgreSQL with the same tables: the same columns, the same rows. Object numbers
differ between the two and are compared by the object that they stand for.
"""

import json
import re
from pathlib import Path

import psycopg
import pytest
from psycopg import pq

CORPUS = Path(__file__).parent / "corpus"
# Whose answer is about the server's state of the moment, or about what one of the two databases has and the other not.
STATE = re.compile(r"pg_stat_|pg_locks|pg_backend_pid|pg_postmaster_start_time|pg_is_in_recovery|pg_database_size|"
                   r"pg_tablespace_size|datfrozenxid|pg_event_trigger|pg_default_acl|txid_|inet_|pg_snapshot|"
                   r"pg_current_|pg_database|pg_settings|pg_show_all_settings|prosrc|pg_default_acl|age\(|relfrozenxid|pg_export_snapshot|"
                   r"\bxmin\b", re.IGNORECASE)
# Where the lake is another database than PostgreSQL's, and says so.
DIFFERENT = {
    r"^SHOW search_path|set_config\('search_path', current_setting": "nobody has a schema of their own: the path is public alone",
    r"^SHOW TRANSACTION ISOLATION LEVEL": "DuckLake's transactions see one snapshot: repeatable read",
    r"is_updatable FROM information_schema\.views": "the lake's views cannot be written to",
    r"dependent_depend\.classid = 'pg_rewrite'": "a view of the mirror reads nothing, so it depends on nothing",
}
# What a mirror has for itself, and where PostgreSQL keeps long values, which has the table's number in its name.
OURS = re.compile(r"pg_boathouse|boathouse_refuse|pg_toast")
VIEW = re.compile(r"pg_get_viewdef|view_definition|pg_views|\bdefinition\b", re.IGNORECASE)


def statements() -> list:
    """Every distinct statement, by the first client that sent it."""
    seen, cases = set(), []
    for path in sorted(CORPUS.glob("*.json")):
        for number, statement in enumerate(json.loads(path.read_text())["statements"]):
            if statement["sql"] not in seen:
                seen.add(statement["sql"])
                cases.append(pytest.param(statement["sql"], statement["parameters"], id=f"{path.stem}-{number}"))
    return cases


def test_the_corpus_is_whole():
    clients = list(CORPUS.glob("*.json"))
    assert len(clients) >= 25 and len(statements()) >= 700


class Database:
    """One of the two, asked as libpq asks: parameters in text, without types."""

    def __init__(self, where: dict):
        self.connection = psycopg.connect(**where, autocommit=True)
        rows = self.connection.execute(
            "SELECT oid, oid::regclass::text FROM pg_class WHERE oid >= 16384 UNION ALL "
            "SELECT oid, 'schema ' || nspname FROM pg_namespace WHERE oid >= 16384 OR nspname = 'public' UNION ALL "
            "SELECT oid, 'type ' || format_type(oid, -1) FROM pg_type WHERE oid >= 16384 UNION ALL "
            "SELECT oid, 'role ' || rolname FROM pg_roles UNION ALL "
            "SELECT oid, 'database' FROM pg_database WHERE datname = current_database() UNION ALL "
            "SELECT d.oid, 'default of ' || adrelid::regclass::text || adnum FROM pg_attrdef d").fetchall()
        self.names = {str(oid): name for oid, name in rows}
        self.numbers = {name: str(oid) for oid, name in rows}
        self.name = self.connection.execute("SELECT current_database()").fetchone()[0]

    def filled(self, text: str) -> str:
        text = self.name if text == "lake" else re.sub(r"""(['"])lake\1""", rf"\g<1>{self.name}\1", text)
        text = text.replace("{{database}}", self.numbers["database"])
        text = re.sub(r"\{\{schema (\w+)\}\}", lambda found: self.numbers["schema " + found[1]], text)
        return re.sub(r"\{\{oid of (.+?)\}\}", lambda found: self.numbers[found[1]], text)

    def ask(self, sql: str, parameters: list) -> tuple:
        """Columns and rows; every value as its text, numbers of objects as their names."""
        values = [None if value is None else self.filled(value).encode() for value in parameters]
        result = self.connection.pgconn.exec_params(self.filled(sql).encode(), values)
        if result.status != pq.ExecStatus.TUPLES_OK:
            return "error", result.error_field(pq.DiagnosticField.SQLSTATE), result.error_message.decode()
        columns = [(result.fname(i), result.ftype(i), result.fmod(i)) for i in range(result.nfields)]
        rows = [tuple(self.normal(result.get_value(row, i)) for i in range(result.nfields)) for row in range(result.ntuples)]
        return columns, sorted((row for row in rows if not OURS.search(repr(row))), key=repr)

    def normal(self, value: bytes | None) -> str | None:
        if value is None:
            return None
        text = re.sub(r"pg_attver=\d+", "pg_attver", value.decode())  # PostgreSQL's own count of a column's versions
        text = re.sub(r"(?<!\d)\d{5,}(?!\d)", lambda found: self.names.get(found[0], found[0]), text)
        return re.sub(rf"\b{self.name}\b", "the database", text)


@pytest.fixture(scope="module")
def both(door, peer):
    view = "CREATE VIEW open_orders AS SELECT id, customer FROM orders WHERE active"
    with psycopg.connect(**door, autocommit=True) as lake, psycopg.connect(**peer, autocommit=True) as postgres:
        lake.execute(view)
        postgres.execute(view)
        yield Database(door), Database(peer)
        lake.execute("DROP VIEW open_orders")
        postgres.execute("DROP VIEW open_orders")


@pytest.mark.parametrize(("sql", "parameters"), statements())
def test_answers_as_postgresql_does(both, sql, parameters):
    door, peer = both
    through_door = door.ask(sql, parameters)
    direct = peer.ask(sql, parameters)
    if direct[0] == "error":
        assert through_door[:2] == direct[:2], "PostgreSQL refuses this too, in the same words"
        return
    assert through_door[0] != "error", through_door
    assert through_door[0] == direct[0]
    if STATE.search(sql):
        return
    if any(re.search(pattern, sql) for pattern in DIFFERENT):
        assert through_door[1] != direct[1]
    elif VIEW.search(sql):
        assert len(through_door[1]) == len(direct[1])
    else:
        assert through_door[1] == direct[1]
