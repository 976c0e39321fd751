"""SQLAlchemy 2 over psycopg and psycopg2: core, ORM, and pandas on top of it."""

import datetime
import decimal
import uuid

import pandas
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import value_table
from value_table import same


@pytest.fixture(scope="module", params=["postgresql+psycopg", "postgresql+psycopg2"])
def engine(request, door):
    engine = sa.create_engine(sa.URL.create(request.param, door["user"], door["password"], door["host"], door["port"], "lake"))
    yield engine
    engine.dispose()


def test_values(engine, postgres):
    other = sa.create_engine(sa.URL.create(engine.url.drivername, postgres["user"], postgres["password"], postgres["host"],
                                           postgres["port"], "postgres"))
    wrong = []
    with engine.connect() as mine, other.connect() as theirs:
        for connection in (mine, theirs):
            connection.exec_driver_sql("SET TIME ZONE 'UTC'")
        for case in value_table.cases():
            got = list(mine.exec_driver_sql(case.select_from_door.replace("%", "%%")).one())
            right = list(theirs.exec_driver_sql(case.select_from_postgres.replace("%", "%%")).one())
            if not same(got, right):
                wrong.append(f"{case}: {got!r} instead of {right!r}")
    other.dispose()
    assert wrong == []


def test_core_round_trip(engine):
    metadata = sa.MetaData()
    table = sa.Table(
        "alchemy_core", metadata, sa.Column("id", sa.Integer), sa.Column("big", sa.BigInteger), sa.Column("yes", sa.Boolean),
        sa.Column("half", sa.Float), sa.Column("price", sa.Numeric(10, 2)), sa.Column("name", sa.String(40)),
        sa.Column("note", sa.Text), sa.Column("raw", BYTEA), sa.Column("born", sa.Date), sa.Column("at", sa.Time),
        sa.Column("seen", sa.DateTime), sa.Column("known", sa.DateTime(timezone=True)), sa.Column("took", sa.Interval),
        sa.Column("tag", sa.Uuid), sa.Column("more", JSON), sa.Column("numbers", ARRAY(sa.Integer)),
        sa.Column("words", ARRAY(sa.Text)))
    row = (1, 2**40, True, 1.5, decimal.Decimal("12.34"), "it's 100% \\", "x", b"\x00\xff'\\", datetime.date(2024, 2, 29),
           datetime.time(12, 30), datetime.datetime(2024, 2, 29, 12, 30), datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC),
           datetime.timedelta(days=3, seconds=7), uuid.uuid4(), {"a": [1, None]}, [1, None, 3], ["a", "b,c", None])
    with engine.begin() as connection:
        connection.exec_driver_sql("SET TIME ZONE 'UTC'")
        metadata.create_all(connection, checkfirst=False)
        connection.execute(table.insert(), [dict(zip(table.columns.keys(), row, strict=True)),
                                                          dict.fromkeys(table.columns.keys()) | {"id": 2}])
        stored = connection.execute(sa.select(table).order_by(table.c.id)).all()
        assert tuple(stored[0]) == row
        assert list(stored[1])[1:] == [None] * (len(row) - 1)
        assert connection.execute(sa.select(sa.func.count()).where(table.c.id.in_([1, 2, 3]))).scalar_one() == 2
        assert connection.execute(table.update().where(table.c.id == 2).values(name="two")).rowcount == 1
        assert connection.execute(sa.select(table.c.name).where(table.c.name.ilike("T%"))).scalars().all() == ["two"]
        assert connection.execute(table.delete().where(table.c.price.is_(None))).rowcount == 1
        metadata.drop_all(connection, checkfirst=False)


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "alchemy_people"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str | None]
    born: Mapped[datetime.date | None]


def test_orm(engine):
    # A lake has no primary keys, so its table is made by hand.
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alchemy_people (id int, name text, born date)")
    try:
        with Session(engine) as session, session.begin():
            session.add_all([Person(id=1, name="Ada", born=datetime.date(1815, 12, 10)), Person(id=2, name="Grace")])
        with Session(engine) as session, session.begin():
            grace = session.get(Person, 2)
            grace.born = datetime.date(1906, 12, 9)
        with Session(engine) as session:
            people = session.scalars(sa.select(Person).order_by(Person.born)).all()
            assert [(person.name, person.born.year) for person in people] == [("Ada", 1815), ("Grace", 1906)]
            session.delete(people[0])
            session.rollback()
            session.delete(session.get(Person, 1))
            session.commit()
            assert session.scalar(sa.select(sa.func.count(Person.id))) == 1
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE alchemy_people")


def test_streaming(engine):
    with engine.connect().execution_options(yield_per=500) as connection:
        rows = connection.execute(sa.text("SELECT i FROM range(5000) AS t(i) ORDER BY i"))
        assert sum(len(part) for part in rows.partitions()) == 5000


def test_pandas_reads(engine):
    with engine.connect() as connection:
        frame = pandas.read_sql(sa.text("SELECT i, i * 1.5 AS x, 'row ' || i AS name FROM range(1000) AS t(i) ORDER BY i"), connection)
        assert list(frame.columns) == ["i", "x", "name"]
        assert frame["i"].sum() == 499500
        parts = list(pandas.read_sql("SELECT i FROM range(1000) AS t(i)", connection, chunksize=300))
        assert sum(len(part) for part in parts) == 1000


def test_begin_nested_survives_a_statement_that_never_ran(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TEMP TABLE alchemy_nested (id int)")
        with pytest.raises(sa.exc.ProgrammingError), connection.begin_nested():
            connection.exec_driver_sql("SELECT nothing FROM alchemy_nested")
        with connection.begin_nested():
            connection.exec_driver_sql("INSERT INTO alchemy_nested VALUES (1)")
        assert connection.exec_driver_sql("SELECT count(*) FROM alchemy_nested").scalar_one() == 1
