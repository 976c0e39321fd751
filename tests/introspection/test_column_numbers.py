"""RowDescription of a query on the lake names table and column, as PostgreSQL's does: editors need it to write back."""

import psycopg
import pytest

QUERIES = [
    "SELECT id, customer, amount FROM orders", "SELECT * FROM orders", "TABLE shop.items",
    "SELECT o.amount AS price, o.id + 1, count(*) OVER () FROM orders AS o WHERE id > 0 ORDER BY customer LIMIT 5",
    "SELECT x.note, x.\"Key\" FROM (SELECT * FROM \"Mixed Case\") AS x",
    "SELECT a.id, b.id, b.code FROM orders a LEFT JOIN shop.items b ON a.id = b.id",
    "SELECT customer, sum(amount) FROM orders GROUP BY customer", "SELECT DISTINCT few FROM shop.items",
    "SELECT id FROM orders UNION ALL SELECT id FROM shop.items", "SELECT 1, now()",
    "SELECT id, (SELECT max(id) FROM orders) FROM shop.items",
]


def sources(connection: psycopg.Connection, query: str, prepared: bool) -> list[tuple]:
    """(table, column number) of each of the result's columns."""
    if prepared:
        connection.pgconn.prepare(b"asked", query.encode())
        result = connection.pgconn.describe_prepared(b"asked")
        connection.pgconn.exec_(b"DEALLOCATE asked")
    else:
        result = connection.pgconn.exec_(query.encode())
    assert result.error_message == b""
    numbers = [(result.ftable(i), result.ftablecol(i)) for i in range(result.nfields)]
    names = dict(connection.execute("SELECT oid::bigint, oid::regclass::text FROM pg_class").fetchall())
    return [(names[table] if table else None, column) for table, column in numbers]


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("query", QUERIES)
def test_columns_come_from_where_postgresql_says(lake, peer, query, prepared):
    lake.execute("SELECT 1 FROM pg_class").fetchall()  # from now on there is a mirror
    with psycopg.connect(**peer, autocommit=True) as postgres:
        assert sources(lake, query, prepared) == sources(postgres, query, prepared)


def test_numbers_follow_changes_without_introspection(lake):
    lake.execute("SELECT 1 FROM pg_class").fetchall()
    lake.execute("CREATE TABLE moving (a int, b int, c int)")
    try:
        assert lake.pgconn.exec_(b"SELECT c FROM moving").ftablecol(0) == 3
        lake.execute("ALTER TABLE moving DROP COLUMN b")
        lake.execute("ALTER TABLE moving RENAME COLUMN c TO d")
        result = lake.pgconn.exec_(b"SELECT d FROM moving")
        assert result.ftablecol(0) == 3
        assert lake.execute("SELECT 'moving'::regclass::oid::bigint").fetchone() == (result.ftable(0),)
    finally:
        lake.execute("DROP TABLE moving")


def test_a_views_columns_come_from_no_table(lake):
    lake.execute("CREATE VIEW big_orders AS SELECT id, amount FROM orders WHERE amount > 100")
    try:
        assert sources(lake, "SELECT * FROM big_orders", False) == [(None, 0), (None, 0)]
    finally:
        lake.execute("DROP VIEW big_orders")


def test_a_table_of_the_own_transaction_has_no_numbers_yet(door):
    with psycopg.connect(**door) as connection:
        connection.execute("CREATE TABLE unseen (a int)")
        result = connection.pgconn.exec_(b"SELECT a FROM unseen")
        assert (result.ftable(0), result.ftablecol(0)) == (0, 0)
        connection.rollback()
