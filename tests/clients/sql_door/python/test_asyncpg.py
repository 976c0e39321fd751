"""asyncpg: everything prepared and binary; records, cursors, COPY, and the table of values."""

import asyncio
import datetime
import decimal

import asyncpg
import pytest

import value_table
from value_table import same

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


def test_results(run, door, postgres):
    async def compare(lake):
        other = await asyncpg.connect(**arguments(postgres))
        wrong = []
        for case in CASES:
            mine = list(await lake.fetchrow(case.select_from_door))
            right = list(await other.fetchrow(case.select_from_postgres))
            if not same(mine, right):
                wrong.append(f"{case}: {mine!r} instead of {right!r}")
        await other.close()
        return wrong

    assert run(compare) == []


def test_parameters(run, postgres):
    async def compare(lake):
        other = await asyncpg.connect(**arguments(postgres))
        wrong = []
        for case in CASES:
            for right in await other.fetchrow(case.select_from_postgres):
                try:
                    mine = await lake.fetchval(f"SELECT $1::{case.type}", right)
                except asyncpg.PostgresError as error:
                    mine = error
                if not same(mine, right):
                    wrong.append(f"{case}: {mine!r} instead of {right!r}")
        await other.close()
        return wrong

    assert run(compare) == []


def test_a_row_of_every_type(run, new_table, postgres):
    stored = [case for case in CASES if case.lake]
    new_table("asyncpg_values", f"line int, {value_table.table_columns(stored)}")

    async def compare(lake):
        other = await asyncpg.connect(**arguments(postgres))
        columns = [list(await other.fetchrow(case.select_from_postgres)) for case in stored]
        await other.close()
        lines = [[column[min(number, len(column) - 1)] for column in columns] for number in range(max(map(len, columns)))]
        places = ", ".join(f"${number + 1}" for number in range(len(stored) + 1))
        insert = await lake.prepare(f"INSERT INTO asyncpg_values VALUES ({places})")
        await insert.executemany([(number, *line) for number, line in enumerate(lines)])
        rows = await lake.fetch("SELECT * FROM asyncpg_values ORDER BY line")
        return [f"{case}: {mine!r} instead of {right!r}" for row, line in zip(rows, lines, strict=True)
                for case, mine, right in zip(stored, list(row)[1:], line, strict=True) if not same(mine, right)]

    assert run(compare) == []


def test_prepared_statement_describes_itself(run, new_table):
    new_table("asyncpg_sales", "id int, price numeric(10,2), sold timestamptz, tags text[]")

    async def work(lake):
        statement = await lake.prepare("SELECT id, price, sold, tags FROM asyncpg_sales WHERE id > $1 AND price < $2")
        assert [parameter.name for parameter in statement.get_parameters()] == ["int4", "numeric"]
        assert [(column.name, column.type.name) for column in statement.get_attributes()] == [
            ("id", "int4"), ("price", "numeric"), ("sold", "timestamptz"), ("tags", "text[]")]
        assert await statement.fetch(0, decimal.Decimal("10")) == []

    run(work)


def test_records(run, new_table):
    new_table("asyncpg_people", "id int, name text, born date")

    async def work(lake):
        await lake.executemany("INSERT INTO asyncpg_people VALUES ($1, $2, $3)",
                               [(1, "Ada", datetime.date(1815, 12, 10)), (2, "Grace", None)])
        assert await lake.execute("UPDATE asyncpg_people SET born = $1 WHERE id = $2", datetime.date(1906, 12, 9), 2) == "UPDATE 1"
        record = await lake.fetchrow("SELECT * FROM asyncpg_people WHERE name = $1", "Grace")
        assert dict(record) == {"id": 2, "name": "Grace", "born": datetime.date(1906, 12, 9)}
        assert await lake.fetchval("SELECT count(*) FROM asyncpg_people WHERE id = ANY($1::int[])", [1, 2, 3]) == 2

    run(work)


def test_cursor_in_a_transaction(run):
    async def work(lake):
        async with lake.transaction():
            numbers = [record["i"] async for record in lake.cursor("SELECT i FROM range(5000) AS t(i) ORDER BY i", prefetch=100)]
            assert numbers == list(range(5000))
            cursor = await lake.cursor("SELECT i FROM range(100) AS t(i) ORDER BY i")
            assert [record["i"] for record in await cursor.fetch(3)] == [0, 1, 2]
            await cursor.forward(10)
            assert (await cursor.fetchrow())["i"] == 13

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


def test_statements_are_planned_again_when_a_table_changes(run, new_table):
    new_table("asyncpg_growing", "id int")

    async def work(lake):
        assert await lake.fetch("SELECT * FROM asyncpg_growing") == []
        await lake.execute("ALTER TABLE asyncpg_growing ADD COLUMN name text")
        await lake.execute("INSERT INTO asyncpg_growing VALUES (1, 'one')")
        assert [dict(row) for row in await lake.fetch("SELECT * FROM asyncpg_growing")] == [{"id": 1, "name": "one"}]

    run(work)


def test_copy(run, new_table, tmp_path):
    new_table("asyncpg_copy", "id int, name text, price numeric(10,2)")
    rows = [(number, f"name {number}", decimal.Decimal(number) / 4) for number in range(1000)]

    async def work(lake):
        assert await lake.copy_records_to_table("asyncpg_copy", records=rows) == "COPY 1000"
        assert await lake.copy_from_query("SELECT id FROM asyncpg_copy WHERE id < 3 ORDER BY id",
                                          output=str(tmp_path / "out")) == "COPY 3"
        assert (tmp_path / "out").read_text() == "0\n1\n2\n"
        await lake.copy_from_table("asyncpg_copy", output=str(tmp_path / "all.csv"), format="csv", header=True)
        await lake.execute("DELETE FROM asyncpg_copy")
        assert await lake.copy_to_table("asyncpg_copy", source=str(tmp_path / "all.csv"), format="csv", header=True) == "COPY 1000"
        assert [tuple(row) for row in await lake.fetch("SELECT * FROM asyncpg_copy ORDER BY id")] == rows

    run(work)


def test_pool(door):
    async def work():
        async with asyncpg.create_pool(**arguments(door), min_size=2, max_size=4) as pool:
            return await asyncio.gather(*(pool.fetchval("SELECT $1::int * 2", number) for number in range(40)))

    assert asyncio.run(work()) == [number * 2 for number in range(40)]
