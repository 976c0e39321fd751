"""asyncpg: everything prepared and binary; records, cursors, COPY, and the table of values."""

import asyncio
import decimal

import asyncpg
import pytest

import value_table

CASES = value_table.cases(special=("infinity",))


@pytest.fixture
def run(door):
    """A function that runs a coroutine function with a connection through the door."""

    def run(work, **options):
        async def whole():
            connection = await asyncpg.connect(**arguments(door), **options)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(whole())

    return run


def arguments(where: dict) -> dict:
    return {("database" if name == "dbname" else name): value for name, value in where.items()}


def test_prepared_statement_describes_itself(run, new_table):
    new_table("asyncpg_sales", "id int, price numeric(10,2), sold timestamptz, tags text[]")

    async def work(lake):
        statement = await lake.prepare("SELECT id, price, sold, tags FROM asyncpg_sales WHERE id > $1 AND price < $2")
        assert [parameter.name for parameter in statement.get_parameters()] == ["int4", "numeric"]
        assert [(column.name, column.type.name) for column in statement.get_attributes()] == [
            ("id", "int4"), ("price", "numeric"), ("sold", "timestamptz"), ("tags", "text[]")]
        assert await statement.fetch(0, decimal.Decimal("10")) == []

    run(work)


def test_transactions(run, new_table):
    new_table("asyncpg_ledger", "id int")

    class ChangedMindError(Exception):
        pass

    async def work(lake):
        with pytest.raises(ChangedMindError):
            async with lake.transaction():
                await lake.execute("INSERT INTO asyncpg_ledger VALUES (1)")
                raise ChangedMindError
        assert await lake.fetchval("SELECT count(*) FROM asyncpg_ledger") == 0
        async with lake.transaction(isolation="repeatable_read", readonly=True):
            assert await lake.fetchval("SELECT count(*) FROM asyncpg_ledger") == 0
        with pytest.raises(asyncpg.UndefinedColumnError):
            async with lake.transaction():
                await lake.execute("SELECT nothing")
        assert await lake.fetchval("SELECT 1") == 1

    run(work)
