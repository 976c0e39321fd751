"""Answers that are kept are given only to whom they are for, each time anew."""

import pytest
from psycopg.errors import InsufficientPrivilege


@pytest.fixture
def kept(owner):
    """A function that asks as a client until the answer comes from the cache, and gives it."""

    def hits() -> int:
        return int(owner.execute("SHOW boathouse.cache").fetchone()[4])

    def ask(client, text: str) -> list[tuple]:
        for _ in range(2):
            client.execute(text)
        before = hits()
        answer = client.execute(text).fetchall()
        assert hits() == before + 1, f"computed again: {text}"
        return answer

    return ask


@pytest.fixture(scope="module")
def reader(owner, client, new_role):
    owner.execute("CREATE TABLE read_often (id int, amount int)")
    owner.execute("INSERT INTO read_often VALUES (1, 10), (2, 20)")
    owner.execute("CREATE VIEW often AS SELECT * FROM read_often")
    new_role("keeps_asking")
    owner.execute("GRANT CREATE, USAGE ON SCHEMA main TO keeps_asking")
    return client("keeps_asking", prepare_threshold=None)


@pytest.mark.parametrize("relation, granted", [
    ("read_often", "SELECT ON read_often"), ("read_often", "SELECT (id, amount) ON read_often"),
    ("often", "SELECT ON often")])
def test_a_kept_answer_is_taken_away_with_the_privilege(owner, reader, kept, relation, granted):
    text = f"SELECT sum(amount)::int FROM {relation} WHERE id > 0"
    for _ in range(2):
        owner.execute(f"GRANT {granted} TO keeps_asking")
        assert kept(reader, text) == [(30,)]
        owner.execute(f"REVOKE {granted} FROM keeps_asking")
        with pytest.raises(InsufficientPrivilege):
            reader.execute(text)


def test_an_old_version_that_is_kept_for_ever(owner, reader, kept):
    version = owner.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone()[0]
    text = f"SELECT sum(amount)::int FROM read_often AT (VERSION => {version})"
    owner.execute("GRANT SELECT ON read_often TO keeps_asking")
    assert kept(reader, text) == [(30,)]
    owner.execute("REVOKE SELECT ON read_often FROM keeps_asking")
    with pytest.raises(InsufficientPrivilege):
        reader.execute(text)


def test_a_view_whose_owner_lost_the_privilege(owner, client, new_role, reader, kept):
    owner.execute("CREATE TABLE below (id int)")
    owner.execute("INSERT INTO below VALUES (7)")
    maker = client(new_role("makes_a_view"))
    owner.execute("GRANT CREATE, USAGE ON SCHEMA main TO makes_a_view")
    owner.execute("GRANT SELECT ON below TO makes_a_view")
    maker.execute("CREATE VIEW above AS SELECT id FROM below")
    maker.execute("GRANT SELECT ON above TO keeps_asking")
    assert kept(reader, "SELECT max(id) FROM above") == [(7,)]
    owner.execute("REVOKE SELECT ON below FROM makes_a_view")
    with pytest.raises(InsufficientPrivilege):
        reader.execute("SELECT max(id) FROM above")


def test_a_table_made_anew_under_the_name_of_one_that_was_kept(owner, reader, kept):
    owner.execute("CREATE TABLE again AS SELECT 1 AS id")
    owner.execute("GRANT SELECT ON again TO keeps_asking")
    assert kept(reader, "SELECT id FROM again") == [(1,)]
    owner.execute("DROP TABLE again")
    owner.execute("CREATE TABLE again AS SELECT 2 AS id")
    with pytest.raises(InsufficientPrivilege):
        reader.execute("SELECT id FROM again")
