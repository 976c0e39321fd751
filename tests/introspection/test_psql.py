"""psql's backslash commands: through the SQL door they print what they print of a PostgreSQL with the same tables."""

import pytest

COMMANDS = [
    r"\d", r"\d orders", r"\d+ orders", r'\d "Mixed Case"', r"\d shop.items", r"\d+ shop.items", r"\d nothing",
    r"\dt", r"\dt+", r"\dt shop.*", r"\dt *.items", r"\dv", r"\di", r"\ds", r"\dm", r"\dE", r"\dn", r"\df", r"\da", r"\dw",
    r"\du", r"\du+", r"\dg", r"\dT", r"\dT+", r"\dC", r"\dD", r"\do", r"\dO", r"\dL", r"\dF", r"\dFd", r"\dx", r"\db",
    r"\l", r"\l+", r"\drds", r"\dA", r"\dP", r"\dX", r"\dd", r"\sf pg_catalog.lower(text)", r"\df pg_catalog.lower",
    r"\df+ pg_catalog.lower", r"\do pg_catalog.=", r"\dT pg_catalog.int4", r"\dS pg_class", r"\d pg_catalog.pg_class",
    r"\dconfig TimeZone", r"\dp", r"\dp shop.*", r"\z orders", r"\ddp", r"\dn+", r"\encoding", r"\dES", r"\des", r"\dew", r"\deu", r"\dRp",
    r"\dRs", r"\dFt", r"\dFp", r"\dAc", r"\dAf", r"\dAo btree integer_ops", r"\dc pg_catalog.utf8*",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_prints_what_postgresql_prints(psql, door, peer, command):
    printed = psql(door, command)
    assert "ERROR" not in printed
    # Sizes are the server's own; the size of a database that differs is not one of a table.
    if command in (r"\l+",):
        assert printed.count("\n") == psql(peer, command).count("\n")
    else:
        assert printed == psql(peer, command)


def test_shows_a_view_and_what_stands_behind_it(psql, door, lake):
    lake.execute("CREATE VIEW open_orders AS SELECT id, customer FROM orders WHERE active")
    try:
        printed = psql(door, r"\d+ open_orders")
        assert "id       | integer" in printed and "customer | text" in printed
        assert "SELECT id, customer FROM orders WHERE active" in printed
        assert "open_orders | view" in psql(door, r"\dv")
    finally:
        lake.execute("DROP VIEW open_orders")


def test_shows_a_macro_as_a_function(psql, door, lake):
    lake.execute("CREATE MACRO twice(x) AS x * 2")
    try:
        assert "twice" in psql(door, r"\df twice")
        assert "-- (x * 2)" in psql(door, r"\sf twice")
    finally:
        lake.execute("DROP MACRO twice")
