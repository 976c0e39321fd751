"""Roles through the SQL door: PostgreSQL runs the statements as the client's own role, by its own rules."""

import psycopg
import pytest


@pytest.fixture
def role(lake):
    """The name of a role that is gone after the test."""
    yield "ana"
    lake.execute("DROP ROLE IF EXISTS ana")


def test_a_user_that_is_made_here_comes_in_here(lake, door, role, schema_box):
    lake.execute(f"CREATE USER {role} PASSWORD 'first of ana'")
    lake.execute(f"GRANT lake_admin TO {role}")
    with psycopg.connect(**{**door, "user": role, "password": "first of ana"}, autocommit=True) as own:
        assert own.execute("SELECT current_user::text, session_user::text").fetchone() == (role, role)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            own.execute("CREATE ROLE another")
    lake.execute(f"ALTER ROLE {role} SET statement_timeout = '7s'")
    lake.execute(f"ALTER ROLE {role} PASSWORD 'second of ana'")
    with psycopg.connect(**{**door, "user": role, "password": "second of ana"}) as own:
        assert own.execute("SHOW statement_timeout").fetchone() == ("7s",)
    lake.execute(f"REVOKE lake_admin FROM {role}")
    schema_box.expect('log-in of "ana" .* refused: no CONNECT privilege')
    with pytest.raises(psycopg.OperationalError, match='permission denied for database "lake"'):
        psycopg.connect(**{**door, "user": role, "password": "second of ana"})


def test_tags_and_errors_are_postgresqls(lake, role):
    assert lake.execute(f"CREATE ROLE {role}").statusmessage == "CREATE ROLE"
    with pytest.raises(psycopg.errors.DuplicateObject):
        lake.execute(f"CREATE ROLE {role}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        lake.execute(f"ALTER ROLE {role} SUPERUSER")
    assert lake.execute(f"DROP ROLE {role}").statusmessage == "DROP ROLE"
    assert lake.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'ana'").fetchone() == (0,)


def test_not_within_a_transaction_that_could_be_rolled_back(door, role):
    with psycopg.connect(**door) as connection:
        with pytest.raises(psycopg.errors.ActiveSqlTransaction):
            connection.execute(f"CREATE ROLE {role}")
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'ana'").fetchone() == (0,)


def test_psql_learns_how_to_hash_a_password(psql, door):
    assert psql(door, "SHOW password_encryption", "-At") == "scram-sha-256\n"
