"""Two boxes on one lake: what one commits the other sees, both commit side by side, and one goes on when the other dies."""

import contextlib
import json
import subprocess
import threading
import time
from http.client import HTTPException

import psycopg
import pytest
from gathering import Background, wait_for
from http_client import SQL, Client
from ledger import Ledger


@contextlib.contextmanager
def commits_held(fleet):
    """Nobody commits to the lake meanwhile; gives the session that holds them off."""
    with psycopg.connect(fleet.catalog) as catalog:
        catalog.execute("LOCK TABLE ducklake_snapshot IN SHARE ROW EXCLUSIVE MODE")
        yield catalog
        catalog.rollback()


def wait_for_waiting_commits(catalog, count: int) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'ducklake_snapshot'::regclass AND NOT granted"
    wait_for(lambda: catalog.execute(waiting).fetchone()[0] == count, f"{count} commits that wait for their turn")


def test_each_sees_at_once_what_the_other_commits(doors):
    one, two = doors
    one.execute("CREATE TABLE seen (i int)")
    total = "SELECT count(*), sum(i) FROM seen"
    for number in range(1, 6):
        for writer, reader in ((one, two), (two, one)):
            for _ in range(2):  # from the second time on an answer is kept
                before = reader.execute(total).fetchone()
            writer.execute("INSERT INTO seen VALUES (%s)", (number,), prepare=True)
            assert reader.execute(total).fetchone() == (before[0] + 1, (before[1] or 0) + number)


def test_each_sees_at_once_that_a_table_has_changed(doors):
    one, two = doors
    one.execute("CREATE TABLE changing (i int)")
    two.execute("INSERT INTO changing (i) VALUES (%s)", (1,), prepare=True)
    one.execute("ALTER TABLE changing ADD COLUMN name text DEFAULT 'nobody'")
    two.execute("INSERT INTO changing (i) VALUES (%s)", (2,), prepare=True)
    assert two.execute("SELECT * FROM changing ORDER BY i").fetchall() == [(1, "nobody"), (2, "nobody")]
    two.execute("ALTER TABLE changing RENAME TO changed")
    assert one.execute("SELECT count(*) FROM changed").fetchone() == (2,)
    with pytest.raises(psycopg.errors.UndefinedTable):
        one.execute("SELECT count(*) FROM changing")


def test_group_commits_that_meet_are_both_written(fleet, doors):
    doors[0].execute("CREATE TABLE meeting (i int)")
    with contextlib.ExitStack() as stack:
        writers = []
        for box in fleet.boxes:
            for _ in range(4):
                session = stack.enter_context(psycopg.connect(fleet.door(box), autocommit=True))
                writers.append((session, len(writers)))
        for session, number in writers:
            session.execute("INSERT INTO meeting VALUES (%s)", (number,), prepare=True)
        for _ in range(3):
            with commits_held(fleet) as catalog:
                busy = [Background(session.execute, "INSERT INTO meeting VALUES (%s)", (number,)) for session, number in writers]
                wait_for_waiting_commits(catalog, 2)
            for insert in busy:
                insert.outcome()
    expected = [(number, 4) for number in range(8)]
    for door in doors:
        assert door.execute("SELECT i, count(*) FROM meeting GROUP BY i ORDER BY i").fetchall() == expected


def test_a_token_of_one_box_is_taken_by_the_other_until_it_is_revoked(fleet):
    def token(box, *arguments: str) -> str:
        done = subprocess.run([box.binary, "token", *arguments, "--data-dir", box.data_dir], env=box.environment, check=True,
                              capture_output=True, text=True, timeout=120)
        return done.stdout

    maker, other = fleet.boxes
    made = json.loads(token(maker, "create", "shared", "--user", maker.user, "--json"))["token"]
    headers = {"Content-Type": SQL, "Authorization": f"Bearer {made}"}

    def ask(box) -> int:
        return Client(box).request("POST", "/v1/sql", b"SELECT current_user AS name", headers).status

    for box in (other, maker, other):
        assert ask(box) == 200
    for box in fleet.boxes:
        box.expect("unknown or revoked")
    token(other, "revoke", "shared")
    assert [ask(box) for box in (maker, other)] == [401, 401]


def keeper(box, *arguments: str) -> None:
    subprocess.run([box.binary, "keeper", *arguments, "--data-dir", box.data_dir], env=box.environment, check=True,
                   capture_output=True, timeout=120)


def box_of_the_keeper(fleet):
    """The box whose connection holds the keeper's lock; nothing if none does."""
    with psycopg.connect(fleet.catalog, autocommit=True) as catalog:
        holders = catalog.execute("""SELECT a.client_port FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                                     WHERE l.locktype = 'advisory' AND l.granted AND a.application_name = 'boathouse keeper'
                                       AND a.datname = current_database()""").fetchall()
    assert len(holders) <= 1, "two keepers"
    for box in fleet.boxes if holders else ():
        if box.process.poll() is None and holders[0][0] in {
                connection.laddr.port for connection in box.child("boathouse-engine").net_connections("tcp")}:
            return box
    return None


def test_a_key_that_one_box_has_is_taken_at_the_other(fleet, doors):
    one, two = (Client(box) for box in fleet.boxes)
    doors[0].execute("CREATE TABLE keyed_once (id int)")
    body = '{"id": 1}\n'
    first = one.ingest("keyed_once", body, Idempotency_Key="first")
    again = two.ingest("keyed_once", body, Idempotency_Key="first")
    assert first.status == again.status == 200 and again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    with commits_held(fleet) as catalog:
        sent = Background(lambda: one.ingest("keyed_once", body, Idempotency_Key="second"))
        wait_for_waiting_commits(catalog, 1)
        assert two.ingest("keyed_once", body, Idempotency_Key="second").status == 409
    assert sent.outcome().status == 200
    assert doors[1].execute("SELECT count(*) FROM keyed_once").fetchone() == (2,)


def test_the_rows_of_an_engine_that_died_before_it_answered_are_not_written_again(fleet, doors):
    one, two = (Client(box) for box in fleet.boxes)
    doors[0].execute("CREATE TABLE unanswered (id int)")
    body = '{"id": 1}\n'
    assert one.ingest("unanswered", body, Idempotency_Key="before").status == 200
    box = fleet.boxes[0]
    box.expect("engine|http: |gateway: ")
    with commits_held(fleet) as catalog:
        sent = Background(lambda: one.ingest("unanswered", body, Idempotency_Key="lost"))
        wait_for_waiting_commits(catalog, 1)
        engine = box.child("boathouse-engine")
        engine.kill()
        engine.wait(60)
    with pytest.raises((OSError, HTTPException)):
        sent.outcome()
    # PostgreSQL has got the whole commit, and carries it out though nobody waits for its answer.
    wait_for(lambda: doors[1].execute("SELECT count(*) FROM unanswered").fetchone() == (2,), "the commit")
    answers = []

    def answered() -> bool:
        answers.append(two.ingest("unanswered", body, Idempotency_Key="lost"))
        return answers[-1].status == 200

    wait_for(answered, "the first one's answer")
    assert answers[-1].headers["Idempotency-Replayed"] == "true" and answers[-1].json["snapshot"] > 0
    assert doors[1].execute("SELECT count(*) FROM unanswered").fetchone() == (2,)
    box.wait_ready()


class KeyedWriters:
    """HTTP clients that know nothing but their keys, and repeat each request until it is answered."""

    def __init__(self, balancer, count: int = 4):
        self.client, self.done, self.sent = Client(balancer), threading.Event(), [0] * count
        self.writers = [Background(self._write, number) for number in range(count)]

    def _write(self, writer: int) -> None:
        while not self.done.is_set():
            self._send(f"{writer}/{self.sent[writer]}")
            self.sent[writer] += 1

    def _send(self, key: str) -> None:
        while True:
            with contextlib.suppress(OSError, HTTPException):
                answer = self.client.ingest("keyed", json.dumps({"id": key}), Idempotency_Key=key)
                if answer.status == 200:
                    return
                assert answer.status in (409, 500, 503), answer
            time.sleep(0.1)

    def close(self) -> None:
        self.done.set()
        for writer in self.writers:
            writer.outcome()


def test_one_dies_under_load_and_comes_back(fleet):
    keeper(fleet.boxes[0], "run")
    wait_for(lambda: box_of_the_keeper(fleet), "a keeper")
    dying = box_of_the_keeper(fleet)
    living, = (box for box in fleet.boxes if box is not dying)
    living.expect("gateway: |http: ")
    with psycopg.connect(fleet.door(living), autocommit=True) as owner:
        owner.execute("CREATE TABLE keyed (id varchar)")
    ledger, keyed = Ledger(fleet.door(fleet.balancer)), KeyedWriters(fleet.balancer)
    try:
        ledger.wait_for_more(200)
        wait_for(lambda: min(keyed.sent) >= 5, "keyed requests")
        dying.kill()
        sent = list(keyed.sent)
        ledger.wait_for_more(200)
        wait_for(lambda: all(now >= then + 5 for now, then in zip(keyed.sent, sent, strict=True)), "keyed requests to the other box")
    finally:
        ledger.close()
        keyed.close()
    ledger.check(fleet.door(living), fleet.catalog)
    with psycopg.connect(fleet.door(living), autocommit=True) as reader:
        counts = reader.execute("SELECT count(*), count(DISTINCT id) FROM keyed").fetchone()
    assert counts == (sum(keyed.sent), sum(keyed.sent))
    keeper(living, "run")
    assert box_of_the_keeper(fleet) is living
    dying.start()
    with psycopg.connect(fleet.door(dying), autocommit=True) as reader:
        assert reader.execute("SELECT count(*), count(DISTINCT id) FROM keyed").fetchone() == counts
    assert box_of_the_keeper(fleet) is living
