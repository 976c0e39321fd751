"""What libraries learn of the tables: through the SQL door the same as of a PostgreSQL that has them."""

import asyncio

import asyncpg
import pytest
import sqlalchemy


def url(where: dict, driver: str) -> str:
    return "postgresql+{driver}://{user}:{password}@{host}:{port}/{dbname}".format(driver=driver, **where)


def reflected(where: dict, driver: str, schema: str | None) -> dict:
    """Tables, their columns and what SQLAlchemy says of them."""
    engine = sqlalchemy.create_engine(url(where, driver))
    try:
        metadata = sqlalchemy.MetaData()
        metadata.reflect(engine, schema=schema)
        inspector = sqlalchemy.inspect(engine)
        return {
            "tables": {name: [(column.name, repr(column.type), column.nullable, str(column.server_default and column.server_default.arg),
                               column.comment) for column in table.columns] for name, table in metadata.tables.items()},
            "comments": {name: table.comment for name, table in metadata.tables.items()},
            "schemas": inspector.get_schema_names(),
            "views": inspector.get_view_names(schema),
            "sequences": inspector.get_sequence_names(schema),
            "keys": {name: inspector.get_pk_constraint(name.split(".")[-1], schema) for name in metadata.tables},
        }
    finally:
        engine.dispose()


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "pg8000"])
@pytest.mark.parametrize("schema", [None, "public", "shop"])
def test_sqlalchemy_reflects_the_same(door, peer, driver, schema):
    through_door = reflected(door, driver, schema)
    assert through_door == reflected(peer, driver, schema)
    assert through_door["tables"]


def test_asyncpg_learns_types(door, peer):
    async def learn(where: dict):
        connection = await asyncpg.connect(host=where["host"], port=where["port"], user=where["user"],
                                           password=where["password"], database=where["dbname"])
        try:
            await connection.reload_schema_state()
            statement = await connection.prepare(
                "SELECT typname, typelem::regtype::text, oid FROM pg_type WHERE typname = ANY($1::name[]) ORDER BY 1")
            rows = await statement.fetch(["_text", "json", "numeric"])
            return [tuple(row) for row in rows], [attribute.type.name for attribute in statement.get_attributes()]
        finally:
            await connection.close()

    assert asyncio.run(learn(door)) == asyncio.run(learn(peer))
