"""The same queries on the same data in PostgreSQL and through the SQL door: names, types and values of every column.

A difference is listed, with its reason, in the table "Differences from PostgreSQL" of docs/sql-door.md, which this test
reads: a difference that is not listed fails, and so does a listed one that is not found any more. BOATHOUSE_SEED runs
another set of queries than the usual one.
"""

import os
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import logic_test
import peer_data
import psycopg
import query_families
from psycopg import pq

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "sql-door.md"
FILES = Path(__file__).resolve().parents[1] / "files"
QUERIES_PER_FAMILY = 15
SEED = 20240229


@dataclass
class Answer:
    error: str = ""
    names: list[str] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    rows: list[tuple] = field(default_factory=list)


def ask(connection: pq.PGconn, query: str, ordered: bool) -> Answer:
    result = connection.exec_(query.encode())
    if result.status != pq.ExecStatus.TUPLES_OK:
        return Answer(error=(result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode() or result.error_message.decode())
    columns = range(result.nfields)
    rows = [tuple(logic_test.shown(result.get_value(row, column)) for column in columns) for row in range(result.ntuples)]
    return Answer(names=[result.fname(column).decode() for column in columns],
                  types=[result.ftype(column) for column in columns], rows=rows if ordered else sorted(rows))


def differences(theirs: Answer, ours: Answer) -> dict[str, str]:
    """The kinds of difference, each with both sides."""
    if theirs.error or ours.error:
        return {} if theirs.error == ours.error else {"errors": f"{theirs.error or 'rows'} against {ours.error or 'rows'}"}
    found = {}
    if theirs.names != ours.names:
        found["names"] = f"{theirs.names} against {ours.names}"
    if theirs.types != ours.types:
        found["types"] = f"{theirs.types} against {ours.types}"
    if theirs.rows != ours.rows:
        pairs = [pair for pair in zip(theirs.rows, ours.rows, strict=False) if pair[0] != pair[1]]
        found["values"] = f"{pairs[0][0]} against {pairs[0][1]}" if pairs else f"{len(theirs.rows)} against {len(ours.rows)} rows"
    return found


def listed() -> set[str]:
    """The differences that the documentation lists: `family: kind`."""
    section = DOCUMENT.read_text().split("## Differences from PostgreSQL", 1)[1].split("\n## ", 1)[0]
    keys = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    return {key for cell in keys for key in re.findall(r"`([a-z_]+: [a-z]+)`", cell)}


def generated(seed: int) -> list[tuple[str, str]]:
    queries = []
    for family in query_families.FAMILIES:
        random_source = random.Random(f"{seed} {family.__name__}")
        queries += [(family.__name__, family(random_source)) for _ in range(QUERIES_PER_FAMILY)]
    return queries


def written() -> list[tuple[str, str]]:
    """The queries of the SQL files that PostgreSQL answers too and that need no tables."""
    queries = []
    for folder in ("dialect", "functions", "queries", "types"):
        for path in sorted((FILES / folder).glob("*.test")):
            records = logic_test.read(path)
            if any(record.kind == "statement" and record.arguments == "ok" for record in records):
                continue
            queries += [(f"file_{path.stem}", record.sql) for record in records
                        if record.kind == "query" and record.runs_in("postgres") and "now()" not in record.sql
                        and "random" not in record.sql]
    return queries


def connect(conninfo: str, seed: int) -> pq.PGconn:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA differential")
        connection.execute("SET search_path = differential")
        for statement in peer_data.script(seed):
            connection.execute(statement)
    plain = pq.PGconn.connect(conninfo.encode())
    assert plain.status == pq.ConnStatus.OK, plain.error_message.decode()
    plain.exec_(b"SET search_path = differential")
    return plain


def test_differential(box, postgres):
    seed = int(os.environ.get("BOATHOUSE_SEED", SEED))
    print(f"BOATHOUSE_SEED={seed}")
    peer = connect(postgres, seed)
    door = connect(f"host={box.host} port={box.sql_port} dbname=lake user={box.user} password={box.password}", seed)
    queries = generated(seed) + written()
    assert len(queries) >= 1000
    found, unexpected, expected = set(), [], listed()
    for family, query in queries:
        ordered = family.startswith("ordered_")
        for kind, text in differences(ask(peer, query, ordered), ask(door, query, ordered)).items():
            found.add(f"{family}: {kind}")
            if f"{family}: {kind}" not in expected:
                unexpected.append(f"`{family}: {kind}` {query}\n  PostgreSQL {text}")
    peer.finish()
    door.finish()
    assert not unexpected, f"{len(unexpected)} differences are not listed (seed {seed}):\n" + "\n".join(unexpected)
    assert seed != SEED or not expected - found, f"listed, but not found any more: {sorted(expected - found)}"
