"""The tables that both servers hold: the same rows, made from a seed."""

import datetime
import random

ROWS = 120
WORDS = ["apple", "Banana", "cherry pie", "", "Ünïcode", "a%b", "under_score", "foo.bar", "  padded ", "x,y,z", "ABC", "naïve"]

TABLES = """
CREATE TABLE n (id int, i int, j int, b bigint, s smallint, f double precision, d numeric(10,2), t text, u text, dt date,
                ts timestamp, bo boolean);
CREATE TABLE m (id int, k int, v text, w numeric(8,3));
"""


def literal(value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def maybe(random_source: random.Random, value):
    return None if random_source.random() < 0.12 else value


def rows_of_n(random_source: random.Random) -> list[tuple]:
    rows = []
    for number in range(ROWS):
        day = datetime.date(2020, 1, 1) + datetime.timedelta(days=random_source.randrange(2000))
        moment = datetime.datetime(2021, 1, 1) + datetime.timedelta(seconds=random_source.randrange(10**8))
        values = [random_source.randrange(-50, 51), random_source.randrange(-5, 6), random_source.randrange(-10**12, 10**12),
                  random_source.randrange(-300, 300), random_source.randrange(-400, 400) / 8,
                  random_source.randrange(-10**6, 10**6) / 100, random_source.choice(WORDS), random_source.choice(WORDS), day,
                  moment, random_source.random() < 0.5]
        rows.append((number, *(maybe(random_source, value) for value in values)))
    return rows


def rows_of_m(random_source: random.Random) -> list[tuple]:
    return [(number, maybe(random_source, random_source.randrange(0, ROWS * 2)),
             maybe(random_source, random_source.choice(WORDS)),
             maybe(random_source, random_source.randrange(-10**5, 10**5) / 1000)) for number in range(40)]


def script(seed: int) -> list[str]:
    """The statements that make the tables and fill them."""
    random_source = random.Random(seed)
    statements = [statement.strip() for statement in TABLES.split(";") if statement.strip()]
    for table, rows in (("n", rows_of_n(random_source)), ("m", rows_of_m(random_source))):
        values = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in rows)
        statements.append(f"INSERT INTO {table} VALUES {values}")
    return statements
