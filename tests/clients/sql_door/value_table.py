"""The one table of types and values that every driver's test reads: values.json.

Each case is a type of the lake's SQL with a few values, written as SQL expressions. `postgres` is the type of
PostgreSQL's that it goes as on the wire (the same name where nothing is said), `door` the expressions in DuckDB's
spelling where PostgreSQL's is not DuckDB's, `lake` whether a table of the lake can have such a column, `special` why not
every language has a value for it. What is right is never written down: it is what the same driver gets from PostgreSQL.
"""

import json
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).with_name("values.json")


@dataclass(frozen=True)
class Case:
    type: str
    postgres: str
    values: list[str]
    door: list[str]
    lake: bool
    special: str

    def __str__(self) -> str:
        return f"{self.type}-{self.special}" if self.special else self.type

    @property
    def select_from_door(self) -> str:
        """A statement whose one row is all of the values, and a NULL."""
        return "SELECT " + ", ".join(f"{value}::{self.type}" for value in [*self.door, "NULL"])

    @property
    def select_from_postgres(self) -> str:
        return "SELECT " + ", ".join(f"({value})::{self.postgres}" for value in [*self.values, "NULL"])


def cases(special: tuple[str, ...] = ()) -> list[Case]:
    """All cases; those that not every language can hold only if named."""
    return [Case(entry["type"], entry.get("postgres", entry["type"]), entry["values"], entry.get("door", entry["values"]),
                 entry.get("lake", True), entry.get("special", ""))
            for entry in json.loads(PATH.read_text()) if entry.get("special", "") in ("", *special)]


def table_columns(table: list[Case]) -> str:
    """The columns c0, c1 … of a table that holds one value of each case."""
    return ", ".join(f"c{number} {case.type}" for number, case in enumerate(table))


def same(one, other) -> bool:
    """Equality by which NaN equals itself, and types count: 1 is not 1.0, nor True."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return one == other or (one != one and other != other)
