"""The privilege matrix (matrix.py): every cell is allowed here if and only if PostgreSQL allows it."""

import psycopg
import pytest
from matrix import CELLS, ROUNDS
from plain_postgres import PlainPostgres

TABLES = """CREATE TABLE t (id int, a int, secret int); INSERT INTO t VALUES (1, 1, 1); CREATE TABLE u (id int);
CREATE VIEW v AS SELECT id, a FROM t; CREATE VIEW vv AS SELECT * FROM v"""
# Whom the privileges go to, on each path.
GRANTEES = {"to the role": "subject", "to a group": "direct_group", "to PUBLIC": "PUBLIC",
            "to a group of a group": "upper_group", "to a group that is not inherited": "shut_group"}
MEMBERSHIPS = ["direct_group TO subject", "upper_group TO direct_group", "shut_door TO subject",
               "shut_group TO shut_door"]


def attempt(connection: psycopg.Connection, statements: list[str]) -> bool:
    """Whether the client may run them; what they do is undone."""
    changes = not statements[0].startswith(("SELECT", "WITH", "EXPLAIN", "COPY", "PREPARE", "BEGIN"))
    try:
        if changes:
            connection.execute("BEGIN")
        for statement in statements:
            if statement.startswith("COPY"):
                with connection.cursor().copy(statement) as rows:
                    for _ in rows:
                        pass
            else:
                connection.execute(statement)
        return True
    except psycopg.errors.InsufficientPrivilege:
        return False
    finally:
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.execute("ROLLBACK")
        if any(statement.startswith("PREPARE") for statement in statements):
            connection.execute("DEALLOCATE ALL")


def set_up(owner: psycopg.Connection):
    for statement in TABLES.split(";"):
        owner.execute(statement)
    for role in ("direct_group", "upper_group", "shut_door NOINHERIT", "shut_group"):
        owner.execute(f"CREATE ROLE {role}")
    for membership in MEMBERSHIPS:
        owner.execute(f"GRANT {membership}")


@pytest.fixture(scope="module")
def peers(owner, client, new_role):
    """(the owner's connection, the subject's) to the lake and to a plain PostgreSQL."""
    plain = PlainPostgres()
    try:
        plain.start()
        with psycopg.connect(plain.dsn("postgres"), autocommit=True) as there:
            there.execute("CREATE ROLE subject LOGIN PASSWORD 'subject'")
            set_up(there)
            new_role("subject")
            set_up(owner)
            owner.execute("CREATE MACRO m() AS TABLE SELECT * FROM t")
            with psycopg.connect(host=plain.host, port=plain.port, user="subject", password="subject",
                                 dbname="postgres", autocommit=True, prepare_threshold=None) as subject:
                yield (owner, client("subject", prepare_threshold=None)), (there, subject)
    finally:
        plain.discard()


def change(owners, verb: str, grants, path: str):
    """Makes the grants, or takes them back, in both."""
    for grant in grants:
        word = "TO" if verb == "GRANT" else "FROM"
        for owner in owners:
            owner.execute(f"{verb} {grant} {word} {GRANTEES[path]}")


def test_every_cell_is_as_in_postgresql(peers):
    (owner, subject), (there, peer) = peers
    version = owner.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone()[0]
    count, differences = 0, []
    for grants, path in ROUNDS:
        change((owner, there), "GRANT", grants, path)
        for cell in CELLS:
            here, expected = attempt(subject, cell.lake(version)), attempt(peer, cell.postgres())
            count += 1
            if here != expected:
                differences.append(f"{cell}, {grants} {path}: {here}, PostgreSQL says {expected}")
        change((owner, there), "REVOKE", grants, path)
    assert not differences, "\n".join(differences)
    assert count >= 2000
