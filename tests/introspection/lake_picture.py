"""Two pictures of a lake that must be equal: what DuckDB says of it, and what its mirror says.

A picture is plain data: schemas, and by (schema, name) tables and views with their columns, comments, defaults, partitioning
and definitions, and macros. DuckDB's is told by a direct client's DuckDB, the mirror's through the SQL door by PostgreSQL's
system catalogs. Names are as the mirror shows them; an empty comment is none, as in PostgreSQL. Row estimates are left out:
they may be ten seconds old.
"""

import re

import duckdb
import psycopg

# DuckDB's types as PostgreSQL's format_type() writes what the SQL door reports for them.
TYPES = {"TINYINT": "smallint", "SMALLINT": "smallint", "INTEGER": "integer", "BIGINT": "bigint", "HUGEINT": "numeric",
         "UTINYINT": "smallint", "USMALLINT": "integer", "UINTEGER": "bigint", "UBIGINT": "numeric", "FLOAT": "real",
         "DOUBLE": "double precision", "BOOLEAN": "boolean", "VARCHAR": "text", "BLOB": "bytea", "DATE": "date",
         "TIMESTAMP": "timestamp without time zone", "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
         "TIME": "time without time zone", "INTERVAL": "interval", "UUID": "uuid", "JSON": "json"}

# What DuckDB's own functions do not tell: a table's number in the lake, and its partitioning.
TABLES = """
SELECT s.schema_name, t.table_name, t.table_id,
       (SELECT string_agg(CASE p.transform WHEN 'identity' THEN c.column_name ELSE p.transform || '(' || c.column_name || ')' END,
                          ', ' ORDER BY p.partition_key_index)
          FROM m.ducklake_partition_info i JOIN m.ducklake_partition_column p USING (partition_id, table_id)
          JOIN m.ducklake_column c ON c.table_id = p.table_id AND c.column_id = p.column_id AND c.end_snapshot IS NULL
         WHERE i.table_id = t.table_id AND i.end_snapshot IS NULL)
  FROM m.ducklake_table t JOIN m.ducklake_schema s USING (schema_id)
 WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL""".replace("m.", "__ducklake_metadata_lake.")

COLUMNS = """
SELECT schema_name, table_name, column_name, data_type, is_nullable, column_default, comment
  FROM duckdb_columns() WHERE database_name = 'lake' ORDER BY schema_name, table_name, column_index"""

RELATIONS = """
SELECT n.nspname, c.relname, c.relkind, obj_description(c.oid, 'pg_class'),
       CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) END,
       coalesce((SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                     pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)) ORDER BY a.attnum)
          FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^pg_|^information_schema$' AND c.relkind IN ('r', 'v')"""

FUNCTIONS = """
SELECT n.nspname, p.proname, p.pronargs, p.proretset
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_|^information_schema$'"""

NAME_BYTES_MAX = 63


def shown_type(data_type: str) -> str:
    if data_type.endswith("[]"):
        return shown_type(data_type.rstrip("[]")) + "[]"  # PostgreSQL's arrays have no dimensions of their own
    if data_type.startswith("DECIMAL("):
        return data_type.replace("DECIMAL", "numeric")
    return "json" if data_type.startswith(("STRUCT(", "MAP(")) else TYPES[data_type]


def shown_name(name: str, number: int) -> str:
    """A name that is too long for PostgreSQL ends with the object's number, cut between characters."""
    if len(name.encode()) <= NAME_BYTES_MAX:
        return name
    mark = f"~{number}"
    return name.encode()[:NAME_BYTES_MAX - len(mark)].decode(errors="ignore") + mark


def literal(default: str | None) -> str | None:
    """A default without quotes and without PostgreSQL's cast: 'x'::text is x."""
    if default is None or default == "NULL":
        return None
    return default.split("::")[0].strip("'")


def quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def of_the_lake(client: duckdb.DuckDBPyConnection) -> dict:
    """What a direct client sees. Nobody changes the lake meanwhile."""

    def ask(sql: str) -> list[tuple]:
        return client.execute(sql).fetchall()

    schemas = {name for (name,) in ask("SELECT schema_name FROM duckdb_schemas() WHERE database_name = 'lake'")}
    tables = {(schema, name): (number, keys) for schema, name, number, keys in ask(TABLES)}
    relations = {}
    for schema, name, comment in ask("SELECT schema_name, table_name, comment FROM duckdb_tables() WHERE database_name = 'lake'"):
        keys = tables[schema, name][1]
        partitioned = f"[partitioned by {keys}]" if keys else None
        relations[schema, name] = ("r", " ".join(text for text in (comment, partitioned) if text) or None, None, [])
    for schema, name, data_name, data_type, nullable, default, comment in ask(COLUMNS):
        if (schema, name) in relations:
            relations[schema, name][3].append([data_name, shown_type(data_type), not nullable, literal(default), comment or None])
    for schema, name, comment, sql in ask("SELECT schema_name, view_name, comment, sql FROM duckdb_views() WHERE database_name = 'lake'"):
        relations[schema, name] = ("v", comment or None, sql.split(" AS ", 1)[1].rstrip(";"), view_columns(client, schema, name))
    macros = ask("SELECT schema_name, function_name, len(parameters), function_type = 'table_macro' FROM duckdb_functions() "
                 "WHERE database_name = 'lake'")

    def shown_schema(name: str) -> str:
        return "public" if name == "main" and "public" not in schemas else name

    return {"schemas": {shown_schema(name) for name in schemas},
            "relations": {(shown_schema(schema), shown_name(name, tables.get((schema, name), (0,))[0])): relation
                          for (schema, name), relation in relations.items()},
            "macros": {(shown_schema(schema), *rest) for schema, *rest in macros}}


def view_columns(client: duckdb.DuckDBPyConnection, schema: str, name: str) -> list:
    """None where what it names is gone."""
    try:
        described = client.execute(f"DESCRIBE SELECT * FROM {quoted('lake', schema, name)}").fetchall()
    except (duckdb.BinderException, duckdb.CatalogException):
        return []
    return [[column, shown_type(data_type), False, None, None] for column, data_type, *_ in described]


def of_the_mirror(door: psycopg.Connection) -> dict:
    """What the mirror shows, in the same shape. A view's definition is the text within the mirror's view."""
    schemas = {name for (name,) in door.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'").fetchall()}
    relations = {}
    for schema, name, kind, comment, definition, columns in door.execute(RELATIONS).fetchall():
        text = re.search(r"SELECT '((?:[^']|'')*)'::text AS definition", definition)[1].replace("''", "'") if kind == "v" else None
        relations[schema, name] = (kind, comment, text, [[column, shown, not_null, literal(default), note]
                                                         for column, shown, not_null, default, note in columns])
    return {"schemas": schemas, "relations": relations, "macros": set(door.execute(FUNCTIONS).fetchall())}


def differences(mirror: dict, lake: dict) -> list[str]:
    """Where the two differ, a line each."""
    lines = [f"{kind} only in {where}: {sorted(extra)}" for kind in ("schemas", "macros")
             for where, extra in (("the mirror", mirror[kind] - lake[kind]), ("the lake", lake[kind] - mirror[kind])) if extra]
    for name in sorted(mirror["relations"].keys() | lake["relations"].keys()):
        shown, meant = mirror["relations"].get(name), lake["relations"].get(name)
        if shown != meant:
            lines.append(f"{name}: the mirror has {shown}, the lake {meant}")
    return lines
