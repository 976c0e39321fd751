"""GRANT, REVOKE, owners and default privileges through the SQL door: PostgreSQL decides, the engine obeys."""

import threading

import psycopg
import pytest
from gathering import commits_held, counter, wait_for, waiting_locks
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege


@pytest.fixture
def sales(owner):
    owner.execute("CREATE TABLE sales (id int, amount int, note text)")
    owner.execute("INSERT INTO sales VALUES (1, 10, 'a'), (2, 20, 'b')")
    yield "sales"
    owner.execute("DROP TABLE sales")


def owner_of(connection, name):
    sql = "SELECT pg_catalog.pg_get_userbyid(relowner) FROM pg_catalog.pg_class WHERE relname = %s"
    return connection.execute(sql, [name]).fetchone()[0]


def test_what_is_granted_may_be_done_and_nothing_else(owner, client, new_role, sales):
    own = client(new_role("granted"))
    with pytest.raises(InsufficientPrivilege, match="permission denied for table sales"):
        own.execute("SELECT * FROM sales")
    owner.execute("GRANT SELECT ON sales TO granted")
    assert own.execute("SELECT sum(amount)::int FROM sales").fetchone() == (30,)
    with pytest.raises(InsufficientPrivilege):
        own.execute("INSERT INTO sales VALUES (3, 30, 'c')")
    owner.execute("GRANT INSERT ON public.sales TO granted")
    own.execute("INSERT INTO main.sales VALUES (3, 30, 'c')")


def test_what_is_revoked_is_revoked_at_the_next_statement(owner, client, new_role, sales):
    own = client(new_role("revoked"), prepare_threshold=0)
    owner.execute("GRANT SELECT ON sales TO revoked")
    for _ in range(3):
        assert own.execute("SELECT id FROM sales WHERE amount = %s", [10]).fetchall() == [(1,)]
        owner.execute("REVOKE SELECT ON main.sales FROM revoked")
        with pytest.raises(InsufficientPrivilege):
            own.execute("SELECT id FROM sales WHERE amount = %s", [10])
        owner.execute("GRANT SELECT ON sales TO revoked")


def test_who_inserts_again_and_again_is_stopped_by_any_change(owner, client, new_role, sales, privilege_box):
    new_role("tellers")
    own = client(new_role("teller"), prepare_threshold=0)

    def insert() -> None:
        own.execute("INSERT INTO sales VALUES (%s, %s, 'd')", [4, 40])

    def is_stopped(change, back) -> None:
        for _ in range(2):
            for _ in range(3):
                insert()
            change()
            with pytest.raises(InsufficientPrivilege):
                insert()
            back()

    owner.execute("GRANT INSERT ON sales TO tellers")
    with psycopg.connect(privilege_box.dsn, autocommit=True) as catalog:
        catalog.execute("GRANT tellers TO teller")
        # In another database than the one that knows of the tables.
        is_stopped(lambda: catalog.execute("REVOKE tellers FROM teller"), lambda: catalog.execute("GRANT tellers TO teller"))
    is_stopped(lambda: owner.execute("REVOKE INSERT ON sales FROM tellers"), lambda: owner.execute("GRANT INSERT ON sales TO tellers"))
    is_stopped(lambda: owner.execute("REVOKE USAGE ON SCHEMA public FROM public"), lambda: owner.execute("GRANT USAGE ON SCHEMA public TO public"))
    insert()
    owner.execute("ALTER TABLE sales RENAME TO old_sales")
    owner.execute("CREATE TABLE sales (id int, amount int, note text)")
    with pytest.raises(InsufficientPrivilege):  # the same shape, but nobody was let in
        insert()
    assert owner.execute("SELECT count(*) FROM sales").fetchone() == (0,)
    assert owner.execute("SELECT count(*) FROM old_sales WHERE id = 4").fetchone() == (19,)
    owner.execute("DROP TABLE old_sales")


@pytest.mark.parametrize("statement", ["INSERT INTO sales VALUES (3, 30, 'c')", "SELECT id FROM sales"])
def test_what_is_revoked_while_many_ask_is_revoked_for_who_asks_then(owner, client, new_role, sales, statement):
    kind = statement.split()[0].lower()
    role = new_role(f"crowd_{kind}")
    crowd = [client(role) for _ in range(8)]
    refused_before, allowed_after = [], []
    for _ in range(3):
        owner.execute(f"GRANT {kind} ON sales TO {role}")
        revoked, first_done = threading.Event(), threading.Barrier(len(crowd) + 1)

        def ask(connection, revoked=revoked, first_done=first_done):
            was_first, was_refused = True, False
            while not was_refused:
                knew = revoked.is_set()
                try:
                    connection.execute(statement)
                    if knew:
                        allowed_after.append(statement)
                        break
                except InsufficientPrivilege as error:
                    was_refused = True
                    if was_first:
                        refused_before.append(str(error))
                if was_first:
                    was_first = False
                    first_done.wait()

        threads = [threading.Thread(target=ask, args=(connection,)) for connection in crowd]
        for thread in threads:
            thread.start()
        first_done.wait()
        owner.execute(f"REVOKE {kind} ON sales FROM {role}")
        revoked.set()
        for thread in threads:
            thread.join()
    assert not refused_before and not allowed_after


def test_what_waits_for_one_commit_is_judged_each_by_its_role(owner, client, new_role, sales, privilege_box):
    roles = [new_role(f"waits_{n}") for n in range(4)]
    owner.execute(f"GRANT INSERT ON sales TO {', '.join(roles)}")
    clients = [client(role) for role in roles]
    insert = "INSERT INTO sales VALUES (%s, 30, 'c')"
    for connection in clients:
        connection.execute(insert, [3], prepare=True)
    outcomes = {}

    def write(connection, n):
        try:
            outcomes[n] = connection.execute(insert, [4 + n], prepare=True).rowcount
        except InsufficientPrivilege as error:
            outcomes[n] = str(error)

    with commits_held(privilege_box):
        first = threading.Thread(target=client(privilege_box.user).execute, args=(insert, [100]))
        first.start()
        wait_for(lambda: waiting_locks(privilege_box) > 0, "the first commit")
        owner.execute("REVOKE INSERT ON sales FROM waits_1, waits_3")
        rest = [threading.Thread(target=write, args=(connection, n)) for n, connection in enumerate(clients)]
        for one in rest:
            one.start()
        wait_for(lambda: counter(privilege_box, "waiting") == 4, "four statements that wait")
    for one in [first, *rest]:
        one.join()
    assert outcomes == {0: 1, 1: "permission denied for table sales", 2: 1, 3: "permission denied for table sales"}
    assert owner.execute("SELECT id FROM sales WHERE id > 3 ORDER BY id").fetchall() == [(4,), (6,), (100,)]


def test_a_relation_of_the_sessions_own_hides_a_view(owner, client, new_role, sales):
    own = client(new_role("hider"))
    owner.execute("CREATE VIEW hidden AS SELECT id FROM sales")
    owner.execute("GRANT SELECT ON hidden TO hider")
    assert len(own.execute("SELECT * FROM hidden").fetchall()) == 2
    own.execute("CREATE TEMP TABLE hidden (i int)")
    assert own.execute("SELECT * FROM hidden").fetchall() == []
    assert len(own.execute("SELECT * FROM lake.main.hidden").fetchall()) == 2
    own.execute("DROP TABLE hidden")
    assert len(own.execute("SELECT * FROM hidden").fetchall()) == 2
    own.execute("CREATE TEMP TABLE sales (i int)")
    assert own.execute("SELECT * FROM sales").fetchall() == []
    with pytest.raises(InsufficientPrivilege):
        own.execute("SELECT * FROM lake.main.sales")
    owner.execute("DROP VIEW hidden")


def test_membership_counts_at_once(owner, client, new_role, sales):
    own = client(new_role("member"))
    owner.execute("CREATE ROLE readers")
    owner.execute("GRANT SELECT ON sales TO readers")
    for _ in range(3):
        with pytest.raises(InsufficientPrivilege):
            own.execute("SELECT id FROM sales")
        owner.execute("GRANT readers TO member")
        assert len(own.execute("SELECT id FROM sales").fetchall()) == 2
        owner.execute("REVOKE readers FROM member")


def test_columns(owner, client, new_role, sales):
    own = client(new_role("columns"))
    owner.execute("GRANT SELECT (id), UPDATE (note), INSERT (id, note) ON sales TO columns")
    assert own.execute("SELECT id FROM sales ORDER BY id").fetchall() == [(1,), (2,)]
    assert own.execute("SELECT count(*) FROM sales").fetchone() == (2,)
    assert own.execute("UPDATE sales SET note = 'x' WHERE id = 1").rowcount == 1
    assert own.execute("INSERT INTO sales (id, note) VALUES (9, 'n')").rowcount == 1
    for refused in ("SELECT * FROM sales", "SELECT amount FROM sales", "SELECT id FROM sales WHERE amount = 10",
                    "SELECT id FROM sales ORDER BY amount", "UPDATE sales SET amount = 1", "SELECT rowid FROM sales",
                    "UPDATE sales SET note = amount::text", "UPDATE sales SET note = 'x' WHERE amount = 10",
                    "UPDATE sales SET note = 'x' RETURNING *", "INSERT INTO sales VALUES (1, 1, 'x')",
                    "INSERT INTO sales (id, note) VALUES (1, 'x') RETURNING amount", "DELETE FROM sales"):
        with pytest.raises(InsufficientPrivilege):
            own.execute(refused)


def test_a_view_reads_with_its_owners_privileges(owner, client, new_role, sales):
    own = client(new_role("viewer"))
    maker = client(new_role("view_maker"))
    owner.execute("GRANT CREATE, USAGE ON SCHEMA main TO view_maker")
    owner.execute("CREATE VIEW sums AS SELECT sum(amount)::int AS total FROM sales")
    owner.execute("GRANT SELECT ON sums TO viewer")
    assert own.execute("SELECT total FROM sums").fetchone() == (30,)
    assert own.execute("SELECT s.total FROM (SELECT * FROM main.sums) AS s").fetchone() == (30,)
    maker.execute("CREATE VIEW made AS SELECT * FROM sales")
    maker.execute("GRANT SELECT ON made TO viewer")
    for connection in (own, maker):
        with pytest.raises(InsufficientPrivilege, match="table sales"):
            connection.execute("SELECT * FROM made")
    owner.execute("GRANT SELECT ON sales TO view_maker")
    assert len(own.execute("SELECT * FROM made").fetchall()) == 2
    with pytest.raises(InsufficientPrivilege, match="table sales"):
        own.execute("SELECT * FROM made JOIN sales USING (id)")
    maker.execute("DROP VIEW made")
    owner.execute("DROP VIEW sums")


def test_the_maker_owns_what_it_makes(owner, client, new_role):
    maker = client(new_role("maker"))
    other = client(new_role("other"))
    with pytest.raises(InsufficientPrivilege, match="schema public"):
        maker.execute("CREATE TABLE made (i int)")
    with pytest.raises(InsufficientPrivilege, match="database lake"):
        maker.execute("CREATE SCHEMA own_schema")
    owner.execute("GRANT CREATE ON SCHEMA main TO maker")
    maker.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO other")
    maker.execute("CREATE TABLE made (i int)")
    assert owner_of(maker, "made") == "maker"
    maker.execute("INSERT INTO made VALUES (1)")
    assert other.execute("SELECT * FROM made").fetchall() == [(1,)]
    for refused in ("DROP TABLE made", "ALTER TABLE made ADD COLUMN j int", "ALTER TABLE made RENAME TO taken",
                    "COMMENT ON TABLE made IS 'mine'", "TRUNCATE made",
                    "ALTER TABLE made OWNER TO other", "CREATE OR REPLACE TABLE made (j int)"):
        with pytest.raises(InsufficientPrivilege):
            other.execute(refused)
    maker.execute("ALTER TABLE made RENAME TO renamed")
    maker.execute("COMMENT ON TABLE renamed IS 'mine'")
    assert owner_of(maker, "renamed") == "maker"
    owner.execute("GRANT other TO maker")
    owner.execute("GRANT CREATE ON SCHEMA main TO other")
    maker.execute("ALTER TABLE renamed OWNER TO other")
    assert owner_of(maker, "renamed") == "other"
    other.execute("DROP TABLE renamed")


def test_within_a_transaction_the_maker_has_what_it_made(owner, client, new_role):
    own = client(new_role("in_block"), autocommit=False)
    owner.execute("GRANT CREATE ON SCHEMA main TO in_block")
    own.execute("CREATE TABLE early (i int)")
    own.execute("INSERT INTO early VALUES (1)")
    assert own.execute("SELECT i FROM early").fetchall() == [(1,)]
    own.commit()
    assert own.execute("SELECT i FROM early").fetchall() == [(1,)]
    own.execute("DROP TABLE early")
    own.commit()


def test_a_table_that_takes_anothers_name_has_its_own_privileges(owner, client, new_role, sales):
    own = client(new_role("namesake"))
    owner.execute("GRANT SELECT ON sales TO namesake")
    owner.execute("ALTER TABLE sales RENAME TO former")
    owner.execute("CREATE TABLE sales (id int)")
    with pytest.raises(InsufficientPrivilege):
        own.execute("SELECT * FROM sales")
    assert len(own.execute("SELECT * FROM former").fetchall()) == 2
    owner.execute("DROP TABLE former")


def test_an_old_version_is_read_with_the_privileges_of_the_table_that_it_was(owner, client, new_role, sales):
    own = client(new_role("traveller"))
    snapshot = owner.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone()[0]
    owner.execute("CREATE OR REPLACE TABLE sales (id int)")
    owner.execute("GRANT SELECT ON sales TO traveller")
    assert own.execute("SELECT * FROM sales").fetchall() == []
    with pytest.raises(InsufficientPrivilege):
        own.execute(f"SELECT * FROM sales AT (VERSION => {snapshot})")
    assert len(owner.execute(f"SELECT * FROM sales AT (VERSION => {snapshot})").fetchall()) == 2


@pytest.mark.parametrize("statement", ["GRANT EXECUTE ON FUNCTION f() TO lake_reader", "DROP OWNED BY lake_reader",
                                       "GRANT CONNECT ON DATABASE lakehouse TO lake_reader"])
def test_what_is_not_kept_is_refused(owner, statement):
    with pytest.raises(FeatureNotSupported):
        owner.execute(statement)


def test_not_within_a_transaction_that_could_be_rolled_back(client, privilege_box, sales):
    block = client(privilege_box.user, autocommit=False)
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        block.execute("GRANT SELECT ON sales TO lake_reader")
    block.rollback()


def test_who_may_not_connect_does_not_come_in(owner, client, new_role, privilege_box):
    new_role("outsider")
    owner.execute("REVOKE CONNECT ON DATABASE lake FROM outsider")
    privilege_box.expect('log-in of "outsider" .* refused: no CONNECT privilege')
    with pytest.raises(psycopg.OperationalError, match='permission denied for database "lake"'):
        client("outsider")
    owner.execute("GRANT CONNECT ON DATABASE lake TO outsider")
    assert client("outsider").execute("SELECT 1").fetchone() == (1,)


def test_group_roles_do_here_what_they_do_on_the_catalogs_port(owner, client, new_role, sales):
    reader, writer = client(new_role("a_reader", "lake_reader")), client(new_role("a_writer", "lake_writer"))
    assert len(reader.execute("SELECT * FROM sales").fetchall()) == 2
    for refused in ("INSERT INTO sales VALUES (1, 1, '')", "DELETE FROM sales", "CREATE TABLE x (i int)"):
        with pytest.raises(InsufficientPrivilege):
            reader.execute(refused)
    assert writer.execute("DELETE FROM sales WHERE id = 1").rowcount == 1
    writer.execute("CREATE TABLE of_writer (i int)")
    writer.execute("DROP TABLE of_writer")
    with pytest.raises(InsufficientPrivilege, match="must be owner"):
        writer.execute("DROP TABLE sales")
    keeper = client(new_role("a_keeper", "lake_admin"))
    keeper.execute("ALTER TABLE sales ADD COLUMN extra int")
    keeper.execute("CHECKPOINT")
