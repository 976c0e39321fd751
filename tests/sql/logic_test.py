"""Files in sqllogictest's format, read, run over the PostgreSQL protocol, and written anew.

The format is SQLite's (https://www.sqlite.org/sqllogictest/), as far as these files use it. A record is separated from
the next by an empty line; '#' begins a comment.

    statement ok | statement error [SQLSTATE] [regular expression] | statement notice TEXT | statement tag TAG
    <SQL>

    query <type letters> [nosort | rowsort | names]
    <SQL>
    ----
    <one line a row, values separated by tabs>

    connection NAME      what follows runs on the connection of that name
    skipif CONFIGURATION why      onlyif CONFIGURATION why      before one record
    skipfile CONFIGURATION why    anywhere: no record of the file runs there

Types: I integers, R other numbers, T everything else; the value is checked against the letter. NULL is NULL, an empty
text is (empty); a line end in a value is written \\n. `names` puts the columns' names before the rows. In an error's line
the SQLSTATE comes first; "at 8" in it is the position the client is told, in characters.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import pq


@dataclass
class Record:
    kind: str  # "statement" or "query"
    arguments: str
    sql: str
    line: int
    expected: list[str] = field(default_factory=list)
    skipped_in: set[str] = field(default_factory=set)
    only_in: set[str] = field(default_factory=set)
    connection: str = "main"

    def runs_in(self, configuration: str) -> bool:
        return configuration not in self.skipped_in and (not self.only_in or configuration in self.only_in)


class Malformed(Exception):
    """A file that is not in the format."""


def read(path: Path) -> list[Record]:
    records: list[Record] = []
    connection, skipped_in, only_in, never_in = "main", set(), set(), set()
    lines = path.read_text().splitlines()
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word == "connection":
            connection = rest
        elif word == "skipif":
            skipped_in.add(rest.split()[0])
        elif word == "skipfile":
            never_in.add(rest.split()[0])
        elif word == "onlyif":
            only_in.add(rest.split()[0])
        elif word in ("statement", "query"):
            record = Record(word, rest, "", at, skipped_in=skipped_in, only_in=only_in, connection=connection)
            skipped_in, only_in = set(), set()
            sql = []
            while at < len(lines) and lines[at].strip() and lines[at] != "----":
                sql.append(lines[at])
                at += 1
            record.sql = "\n".join(sql)
            if at < len(lines) and lines[at] == "----":
                at += 1
                while at < len(lines) and lines[at].strip():
                    record.expected.append(lines[at])
                    at += 1
            records.append(record)
        else:
            raise Malformed(f"{path}:{at}: unknown record '{word}'")
    for record in records:
        record.skipped_in |= never_in
    return records


def shown(value: bytes | None) -> str:
    if value is None:
        return "NULL"
    text = value.decode()
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t") if text else "(empty)"


_LETTERS = {"I": re.compile(r"NULL|-?\d+"), "R": re.compile(r"NULL|-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|-?Infinity|NaN")}


class Session:
    """The connections of one file; every one works in the file's own schema."""

    def __init__(self, conninfo: str, schema: str):
        self.conninfo, self.schema = conninfo, schema
        self.connections: dict[str, pq.PGconn] = {}
        self.notices: list[str] = []

    def connection(self, name: str) -> pq.PGconn:
        if name not in self.connections:
            made = pq.PGconn.connect(self.conninfo.encode())
            assert made.status == pq.ConnStatus.OK, made.error_message.decode()
            made.notice_handler = lambda notice: self.notices.append(
                (notice.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode())
            self.connections[name] = made
            made.exec_(f"CREATE SCHEMA IF NOT EXISTS {self.schema}; SET search_path = {self.schema}".encode())
        return self.connections[name]

    def close(self) -> None:
        for connection in self.connections.values():
            connection.finish()

    def run(self, record: Record) -> pq.PGresult:
        self.notices.clear()
        return self.connection(record.connection).exec_(record.sql.replace("$schema", self.schema).encode())


def complaint(record: Record, result: pq.PGresult, notices: list[str]) -> str | None:
    """What is wrong with the result; None if it is as the record wants it."""
    failed = result.status == pq.ExecStatus.FATAL_ERROR
    if record.kind == "statement":
        outcome, _, rest = record.arguments.partition(" ")
        if outcome == "error":
            return error_complaint(result, rest) if failed else "the statement did not fail"
        if failed:
            return "the statement failed: " + error_line(result)
        if outcome == "notice":
            return None if any(rest in notice for notice in notices) else f"notices were {notices}"
        if outcome == "tag":
            tag = result.command_status.decode()
            return None if tag == rest else f"the command tag is {tag!r}"
        if notices:
            return f"unexpected notices {notices}"
        return None if outcome == "ok" else f"unknown outcome '{outcome}'"
    if failed:
        return "the query failed: " + error_line(result)
    letters = record.arguments.split()[0]
    if result.nfields != len(letters):
        return f"{result.nfields} columns, the record says {letters}"
    got = rows(record, result)
    for row in range(result.ntuples):
        for column, letter in enumerate(letters):
            value = shown(result.get_value(row, column))
            if letter in _LETTERS and not _LETTERS[letter].fullmatch(value):
                return f"column {column + 1} is not of type {letter}: {value}"
    if got != record.expected:
        return "expected\n  " + "\n  ".join(record.expected) + "\ngot\n  " + "\n  ".join(got)
    return None


def rows(record: Record, result: pq.PGresult) -> list[str]:
    options = record.arguments.split()[1:]
    got = ["\t".join(shown(result.get_value(row, column)) for column in range(result.nfields))
           for row in range(result.ntuples)]
    if "rowsort" in options:
        got.sort()
    if "names" in options:
        got.insert(0, "\t".join(result.fname(column).decode() for column in range(result.nfields)))
    return got


def error_line(result: pq.PGresult) -> str:
    def part(which):
        return (result.error_field(which) or b"").decode()
    position = part(pq.DiagnosticField.STATEMENT_POSITION)
    hint = part(pq.DiagnosticField.MESSAGE_HINT)
    return (part(pq.DiagnosticField.SQLSTATE) + (f" at {position}" if position else "") + " " +
            part(pq.DiagnosticField.MESSAGE_PRIMARY) + (f" HINT: {hint}" if hint else ""))


def error_complaint(result: pq.PGresult, wanted: str) -> str | None:
    line = error_line(result)
    state, _, pattern = wanted.partition(" ")
    if state and not line.startswith(state):
        return f"the error is: {line}"
    if pattern.startswith("at "):
        position, _, pattern = pattern[3:].partition(" ")
        if f"{state} at {position} " not in line:
            return f"the error is: {line}"
    return None if re.search(pattern, line) else f"the error is: {line}"


def completed(path: Path, results: dict[int, list[str]]) -> str:
    """The file's text with the rows that were got, by their record's line, in place of those that it has."""
    lines, output, at = path.read_text().splitlines(), [], 0
    while at < len(lines):
        output.append(lines[at])
        at += 1
        got = results.get(at)
        if got is None:
            continue
        while at < len(lines) and lines[at].strip() and lines[at] != "----":
            output.append(lines[at])
            at += 1
        output += ["----", *got]
        while at < len(lines) and lines[at].strip():
            at += 1
    return "\n".join(output) + "\n"
