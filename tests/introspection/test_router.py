"""Which brain answers: by SQL and by the protocol, in and out of transactions."""

import threading
import time

import psycopg
import pytest
from direct_client import attached


def route(lake) -> str:
    return lake.execute("SHOW boathouse.last_route").fetchone()[0]


def test_says_what_it_decided(lake):
    lake.execute("SELECT count(*) FROM orders")
    assert route(lake) == "duckdb: names nothing of PostgreSQL's"
    lake.execute("SELECT count(*) AS pg_rows FROM orders")
    assert route(lake) == "duckdb: relation orders"
    lake.execute("SELECT count(*) FROM pg_class")
    assert route(lake) == "postgres: relation pg_class"
    lake.execute("SELECT version()")
    assert route(lake) == "postgres: function version"


def test_answers_about_the_session_are_the_clients(lake, door):
    assert lake.execute("SELECT current_user, session_user, current_database()").fetchone() == ("admin", "admin", "lake")
    lake.execute("SET application_name = 'router test'")
    lake.execute("SET TimeZone = 'Asia/Tokyo'")
    lake.execute("SET search_path = shop, main")
    assert lake.execute("SELECT current_setting('application_name'), current_setting('TimeZone')").fetchone() == (
        "router test", "Asia/Tokyo")
    assert lake.execute("SELECT current_schemas(false)").fetchone() == (["shop", "public"],)
    assert lake.execute("SELECT 'items'::regclass::text").fetchone() == ("items",)
    lake.execute("RESET ALL")
    assert lake.execute("SELECT current_schemas(false)").fetchone() == (["public"],)


def test_who_the_client_is_stands_beside_the_lakes_columns(lake):
    lake.execute("INSERT INTO orders (id, customer) VALUES (1, current_user)")
    try:
        assert lake.execute("SELECT customer, session_user, current_database() FROM orders").fetchone() == (
            "admin", "admin", "lake")
    finally:
        lake.execute("DELETE FROM orders")


def test_a_macro_of_the_lake_is_not_answered_by_postgresql(lake):
    lake.execute("CREATE MACRO twice(x) AS x * 2")
    try:
        assert lake.execute("SELECT twice(2), upper(current_user)").fetchone() == (4, "ADMIN")
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            lake.execute("SELECT twice(relname) FROM pg_class LIMIT 1")
    finally:
        lake.execute("DROP MACRO twice")


def test_a_lake_table_is_found_whatever_it_is_called(lake):
    lake.execute("CREATE TABLE pg_something (a int)")
    lake.execute("CREATE TABLE tables (a int)")
    try:
        lake.execute("INSERT INTO pg_something VALUES (1)")
        lake.execute("INSERT INTO tables VALUES (2)")
        assert lake.execute("SELECT a FROM pg_something").fetchone() == (1,)
        assert lake.execute("SELECT a FROM tables").fetchone() == (2,)
        assert lake.execute("SELECT count(*) FROM information_schema.tables WHERE table_name = 'pg_something'").fetchone() == (1,)
    finally:
        lake.execute("DROP TABLE pg_something")
        lake.execute("DROP TABLE tables")


def test_refuses_what_neither_brain_could_answer(lake):
    for statement in ("SELECT * FROM orders, pg_class", "CREATE TABLE copy_of AS SELECT * FROM pg_class",
                      "SELECT version() FROM orders"):
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            lake.execute(statement)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        lake.execute("DELETE FROM pg_class")


def test_parameters_in_both_formats(lake):
    for binary in (False, True):
        cursor = lake.cursor(binary=binary)
        cursor.execute("SELECT relname, relnatts, oid FROM pg_class WHERE relname = %s AND relnatts = %s", ("orders", 8))
        name, columns, oid = cursor.fetchone()
        assert (name, columns) == ("orders", 8)
        assert oid > 16384


def test_an_error_is_postgresqls_own_and_points_into_the_statement(lake):
    with pytest.raises(psycopg.errors.UndefinedColumn) as caught:
        lake.execute("SELECT 'ä', nothing FROM pg_class")
    assert caught.value.diag.message_primary == 'column "nothing" does not exist'
    assert caught.value.diag.statement_position == "13"


def test_introspection_within_a_transaction(door):
    with psycopg.connect(**door) as connection:
        connection.execute("INSERT INTO orders (id) VALUES (1)")
        assert connection.execute("SELECT count(*) FROM pg_class WHERE relname = 'orders'").fetchone() == (1,)
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM pg_catalog.nothing")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT 1 FROM pg_class")
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)


def test_shows_what_another_client_has_just_changed(lake, schema_box, duckdb_home):
    with attached(schema_box, duckdb_home) as client:
        for number in range(5):
            client.execute(f"CREATE TABLE lake.main.direct_{number} (a int)")
            assert lake.execute("SELECT to_regclass(%s) IS NOT NULL", (f"public.direct_{number}",)).fetchone() == (True,)
            client.execute(f"DROP TABLE lake.main.direct_{number}")
            assert lake.execute("SELECT to_regclass(%s) IS NULL", (f"public.direct_{number}",)).fetchone() == (True,)


def test_cancel_reaches_postgresql(door):
    with psycopg.connect(**door, autocommit=True) as connection:
        cancelled = threading.Event()

        def cancel():
            while not cancelled.is_set():
                connection.cancel_safe()
                time.sleep(0.05)

        helper = threading.Thread(target=cancel)
        helper.start()
        try:
            with pytest.raises(psycopg.errors.QueryCanceled):
                while True:
                    connection.execute("SELECT count(*) FROM pg_class a, pg_class b, pg_class c, pg_class d")
        finally:
            cancelled.set()
            helper.join()


def test_statement_timeout_ends_it(lake):
    lake.execute("SET statement_timeout = '100ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        lake.execute("SELECT count(*) FROM pg_class a, pg_class b, pg_class c, pg_class d")
    lake.execute("RESET statement_timeout")


def test_a_connection_comes_clean_to_the_next_client(door, lake):
    lake.execute("SELECT set_config('search_path', 'nowhere', false), relname FROM pg_class LIMIT 1")
    with psycopg.connect(**door, autocommit=True) as other:
        assert other.execute("SELECT current_schemas(false)").fetchone() == (["public"],)


def test_runs_as_the_client_and_only_reads(lake):
    assert lake.execute("SELECT usename, usesuper FROM pg_user WHERE usename = current_user").fetchone() == ("admin", False)
    for statement in ("SELECT pg_read_file('/etc/passwd')", "SELECT pg_ls_dir('/')", "SELECT rolpassword FROM pg_authid",
                      "SELECT * FROM pg_catalog.pg_hba_file_rules", "SELECT lo_import('/etc/passwd') FROM pg_class",
                      "SELECT pg_reload_conf()", "SELECT * FROM pg_shadow"):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            lake.execute(statement)


def test_nobody_reaches_the_mirror_from_outside(schema_box):
    schema_box.expect(r"pg_hba\.conf rejects connection .* database \"lake\"")
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
        psycopg.connect(host=schema_box.host, port=schema_box.catalog_port, user="admin", password=schema_box.password,
                        dbname="lake")
