"""What a database tool asks first, of a lake of many tables and of a PostgreSQL that has the same ones.

One box. Its lake gets --tables tables by SQL in the catalog (large_catalog.py), a database "peer" of the same server gets
them by CREATE TABLE. Each round is a new connection that asks what DBeaver asks when a schema is opened: databases,
schemas, types, all tables of the schema, all their columns, then --singles tables one by one. The arms take turns;
medians in milliseconds. Then the mirror itself: made from nothing, and brought up to date after a direct client has changed
one table.

    bench/introspection.py [--tables 5000] [--changed-among 10000] [--columns 8] [--singles 200] [--rounds 7]
"""

import argparse
import statistics
import subprocess
import time

import duckdb
import large_catalog
import psycopg
import setting

# As DBeaver 24 sends them (PostgreDatabase, PostgreSchema, PostgreTableBase caches).
DATABASES = ("SELECT db.oid, db.* FROM pg_catalog.pg_database db WHERE datallowconn AND NOT datistemplate OR db.datname = "
             "current_database() ORDER BY db.datname")
SCHEMAS = ("SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON "
           "d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass ORDER BY nspname")
TYPES = ("SELECT t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base_type_name, d.description "
         "FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid = t.typelem LEFT OUTER JOIN "
         "pg_catalog.pg_class c ON c.oid = t.typrelid LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid = d.objoid WHERE "
         "t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C')")
TABLES = ("SELECT c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_expr, "
          "pg_catalog.pg_get_partkeydef(c.oid) AS partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN "
          "pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass "
          "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind NOT IN ('i', 'I', 'c')")
COLUMNS = ("SELECT c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) AS def_value, dsc.description, dep.objid "
           "FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON (a.attrelid = c.oid) LEFT OUTER JOIN "
           "pg_catalog.pg_attrdef ad ON (a.attrelid = ad.adrelid AND a.attnum = ad.adnum) LEFT OUTER JOIN "
           "pg_catalog.pg_description dsc ON (c.oid = dsc.objoid AND a.attnum = dsc.objsubid) LEFT OUTER JOIN pg_depend dep "
           "ON dep.refobjid = a.attrelid AND dep.deptype = 'i' AND dep.refobjsubid = a.attnum AND dep.classid = dep.refclassid "
           "WHERE NOT a.attisdropped AND {} ORDER BY a.attnum")


def introspect(where: dict, singles: int) -> dict[str, float]:
    """Milliseconds of each step of one new connection."""
    times, last = {}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        times[name] = 1000 * (now - last)
        last = now

    with psycopg.connect(**where, autocommit=True) as connection:
        lap("connect")
        for name, statement in (("databases", DATABASES), ("schemas", SCHEMAS), ("types", TYPES), ("tables", TABLES),
                                ("all columns", COLUMNS.format("c.relnamespace = 'public'::regnamespace"))):
            rows = connection.execute(statement).fetchall()
            lap(name)
            assert rows, name
        for number in range(singles):
            assert connection.execute(COLUMNS.format(f"c.oid = 'small{number}'::regclass")).fetchall()
        lap("tables one by one")
    times["all of it"] = sum(times.values())
    return times


def door_of(box: setting.box_process.Box) -> dict:
    return {"host": box.host, "port": box.sql_port, "user": box.user, "password": box.password, "dbname": "lake"}


def superuser_of(box: setting.box_process.Box, database: str) -> dict:
    return {"host": str(box.data_dir / "run"), "port": box.catalog_port, "user": "boathouse", "dbname": database}


def grow(box: setting.box_process.Box, tables: int, columns: int) -> None:
    with duckdb.connect() as client, psycopg.connect(**superuser_of(box, "lakehouse"), autocommit=True) as catalog:
        client.execute(f"LOAD ducklake; LOAD postgres_scanner; ATTACH '{box.attach_string}' AS lake")
        large_catalog.grow(client, catalog, large_catalog.Size(big_files=1, tables=tables, files=1, columns=columns))


def make_peer(box: setting.box_process.Box, tables: int, columns: int) -> dict:
    with psycopg.connect(**superuser_of(box, "postgres"), autocommit=True) as server:
        server.execute(f'CREATE DATABASE peer OWNER "{box.user}" TEMPLATE template0')
    where = {"host": box.host, "port": box.catalog_port, "user": box.user, "password": box.password, "dbname": "peer"}
    definition = ", ".join(["id bigint"] + [f"c{k} bigint" for k in range(2, columns + 1)])
    with psycopg.connect(**where, autocommit=True) as peer:
        peer.execute(f"CREATE TABLE big ({definition})")
        for begin in range(0, tables, 500):
            peer.execute("; ".join(f"CREATE TABLE small{number} ({definition})"
                                   for number in range(begin, min(begin + 500, tables))))
        peer.execute("ANALYZE")
    return where


def timed(connection: psycopg.Connection, statement: str) -> float:
    begin = time.perf_counter()
    connection.execute(statement).fetchall()
    return 1000 * (time.perf_counter() - begin)


def rebuilt(box: setting.box_process.Box, connection: psycopg.Connection) -> float:
    """Milliseconds from nothing to the first answer."""
    subprocess.run([setting.boathouse(), "mirror", "rebuild", "--data-dir", box.data_dir], check=True, capture_output=True)
    return timed(connection, "SELECT count(*) FROM pg_class WHERE relname = 'small3'")


def compare(arguments: argparse.Namespace) -> None:
    with setting.box_process.running(setting.boathouse()) as box:
        grow(box, arguments.tables, arguments.columns)
        peer = make_peer(box, arguments.tables, arguments.columns)
        with psycopg.connect(**door_of(box), autocommit=True) as lake:
            print(f"the mirror of {arguments.tables} tables, made from nothing: {rebuilt(box, lake):,.0f} ms")
        rounds = [(introspect(door_of(box), arguments.singles), introspect(peer, arguments.singles))
                  for _ in range(arguments.rounds)]
        print("| step | the door, ms | PostgreSQL, ms | ratio |\n| --- | --- | --- | --- |")
        for step in rounds[0][0]:
            door, direct = (statistics.median(both[arm][step] for both in rounds) for arm in (0, 1))
            print(f"| {step} | {door:.1f} | {direct:.1f} | {door / direct:.2f} |")


def change_one(arguments: argparse.Namespace) -> None:
    with setting.box_process.running(setting.boathouse()) as box:
        grow(box, arguments.changed_among, arguments.columns)
        asked = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'changing'::regclass"
        with psycopg.connect(**door_of(box), autocommit=True) as lake, duckdb.connect() as client:
            print(f"the mirror of {arguments.changed_among} tables, made from nothing: {rebuilt(box, lake):,.0f} ms")
            client.execute(f"LOAD ducklake; LOAD postgres_scanner; ATTACH '{box.attach_string}' AS lake")
            client.execute("CREATE TABLE lake.changing (id bigint)")  # DuckLake alters only what it has made itself
            unchanged, changed = [], []
            timed(lake, asked)
            for number in range(arguments.rounds):
                unchanged.append(timed(lake, asked))
                client.execute(f"ALTER TABLE lake.changing ADD COLUMN added{number} bigint")
                changed.append(timed(lake, asked))
        print(f"the next statement, nothing changed: {statistics.median(unchanged):.1f} ms; "
              f"one table changed: {statistics.median(changed):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=5000)
    parser.add_argument("--changed-among", type=int, default=10_000)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--singles", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    compare(arguments)
    change_one(arguments)


if __name__ == "__main__":
    main()
