"""The mirror can be dropped at any time; who owns what and who may do what is not lost with it."""

import subprocess

import psycopg
import pytest
from box_process import Box
from psycopg.errors import InsufficientPrivilege

PASSWORD = "a password of theirs"


def door(box: Box, role: str = "") -> psycopg.Connection:
    return psycopg.connect(host=box.host, port=box.sql_port, user=role or box.user, dbname="lake", autocommit=True,
                           password=PASSWORD if role else box.password)


def described(connection) -> list:
    """Everything that PostgreSQL knows of owners and privileges in the lake."""
    tables = connection.execute("""
        SELECT n.nspname::text || '.' || c.relname::text, pg_catalog.pg_get_userbyid(c.relowner)::text,
               (SELECT string_agg(e::text, ',' ORDER BY e::text) FROM unnest(c.relacl) e)
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'v') AND n.nspname IN ('public', 'shop') ORDER BY 1""").fetchall()
    columns = connection.execute("""
        SELECT a.attrelid::regclass::text, a.attname::text, a.attacl::text FROM pg_catalog.pg_attribute a
         WHERE a.attacl IS NOT NULL AND a.attrelid >= 16384 ORDER BY 1, 2""").fetchall()
    schemas = connection.execute("""
        SELECT nspname::text, pg_catalog.pg_get_userbyid(nspowner)::text,
               (SELECT string_agg(e::text, ',' ORDER BY e::text) FROM unnest(nspacl) e)
          FROM pg_catalog.pg_namespace WHERE nspname IN ('public', 'shop') ORDER BY 1""").fetchall()
    defaults = connection.execute("""
        SELECT pg_catalog.pg_get_userbyid(defaclrole)::text, defaclnamespace::regnamespace::text, defaclobjtype::text,
               (SELECT string_agg(e::text, ',' ORDER BY e::text) FROM unnest(defaclacl) e)
          FROM pg_catalog.pg_default_acl ORDER BY 1, 2, 3""").fetchall()
    return tables + columns + schemas + defaults


def test_privileges_outlast_the_mirror(boathouse, new_box):
    box = new_box()
    with door(box) as owner:
        for role in ("ana", "bob"):
            owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
            owner.execute(f"GRANT CONNECT ON DATABASE lake TO {role}")
        owner.execute("GRANT CREATE ON SCHEMA main TO ana")
        for statement in ("CREATE TABLE plain (a int, b int)", "CREATE TABLE shut (a int)", "CREATE SCHEMA shop",
                          "CREATE TABLE shop.items (i int)", "REVOKE ALL ON shut FROM lake_reader, lake_writer",
                          "GRANT SELECT (a), UPDATE (b) ON plain TO bob", "GRANT USAGE ON SCHEMA shop TO bob",
                          "GRANT SELECT ON ALL TABLES IN SCHEMA shop TO ana WITH GRANT OPTION",
                          "ALTER DEFAULT PRIVILEGES IN SCHEMA main GRANT SELECT ON TABLES TO bob",
                          "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM lake_reader"):
            owner.execute(statement)
        owner.execute("GRANT USAGE ON SCHEMA shop TO ana")
        with door(box, "ana") as ana:
            ana.execute("CREATE TABLE of_ana (i int)")
            ana.execute("CREATE VIEW view_of_ana AS SELECT i FROM of_ana")
            ana.execute("GRANT SELECT ON of_ana TO bob")
            ana.execute("GRANT SELECT ON shop.items TO bob")
        before = described(owner)
    # The connections to the dropped database.
    box.expect('terminating connection due to administrator command|database "lake" does not exist')
    subprocess.run([boathouse, "mirror", "rebuild", "--data-dir", box.data_dir], check=True, timeout=60,
                   env=box.environment)
    with door(box) as owner, door(box, "bob") as bob:
        assert bob.execute("SELECT a FROM plain").fetchall() == []
        for refused in ("SELECT b FROM plain", "SELECT * FROM shut", "DROP TABLE of_ana"):
            with pytest.raises(InsufficientPrivilege):
                bob.execute(refused)
        assert bob.execute("SELECT * FROM of_ana").fetchall() == []
        assert described(owner) == before
