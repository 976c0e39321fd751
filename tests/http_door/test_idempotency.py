"""Idempotency-Key: a repeated request gets the first answer and writes nothing, whatever happened in between."""

import json
import threading
import time
from http.client import HTTPException

import psycopg
from http_client import Client

BODY = '{"id": 1}\n{"id": 2}\n'


def count(client, table):
    return client.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]


def test_a_repeated_key_gets_the_first_answer(client, table):
    first = client.ingest(table, BODY, Idempotency_Key="a")
    again = client.ingest(table, BODY, Idempotency_Key="a")
    assert first.status == again.status == 200 and first.json == again.json
    assert "Idempotency-Replayed" not in first.headers and again.headers["Idempotency-Replayed"] == "true"
    assert count(client, table) == 2
    assert client.ingest(table, BODY, Idempotency_Key="b").json["snapshot"] > first.json["snapshot"]
    assert count(client, table) == 4


def test_the_report_of_faults_is_repeated_too(client, table):
    body = '{"id": 1}\n{"id": "x"}\n'
    first = client.ingest(table, body, query="?on_error=skip", Idempotency_Key="c")
    assert (first.json["rows"], first.json["skipped"]) == (1, 1)
    assert client.ingest(table, body, query="?on_error=skip", Idempotency_Key="c").json == first.json
    nothing = client.ingest(table, '{"id": "x"}', query="?on_error=skip", Idempotency_Key="d")
    assert nothing.json["rows"] == 0
    assert client.ingest(table, '{"id": "x"}', query="?on_error=skip", Idempotency_Key="d").json == nothing.json
    assert count(client, table) == 1


def test_a_key_belongs_to_one_body_one_table_and_one_user(box, client, table, new_table, new_user):
    assert client.ingest(table, BODY, Idempotency_Key="e").status == 200
    answer = client.ingest(table, BODY + '{"id": 3}', Idempotency_Key="e")
    assert answer.status == 422 and "another request" in answer.json["title"]
    other = new_table("id int")
    assert client.ingest(other, BODY, Idempotency_Key="e").status == 200
    writer = new_user(box, f"GRANT INSERT ON {table} TO {{}}")
    assert writer.ingest(table, BODY, Idempotency_Key="e").status == 200
    assert (count(client, table), count(client, other)) == (4, 2)


def test_a_request_that_failed_may_be_sent_again(client, new_table):
    table = new_table()
    assert client.ingest(table, BODY, Idempotency_Key="f").status == 404
    assert client.ingest(table, BODY, query="?create=true", Idempotency_Key="f").status == 200
    assert count(client, table) == 2


def test_keys_that_are_none(client, table):
    assert client.ingest(table, BODY, Idempotency_Key="").status == 400
    assert client.ingest(table, BODY, Idempotency_Key="x" * 256).status == 400


def test_one_key_from_many_at_once(client, table):
    answers = []

    def send():
        answers.append(client.ingest(table, BODY, Idempotency_Key="g"))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} <= {200, 409}
    assert count(client, table) == 2
    assert client.ingest(table, BODY, Idempotency_Key="g").headers["Idempotency-Replayed"] == "true"


def test_keys_outlast_a_restart_and_a_lost_record(new_box):
    box = new_box()
    client = Client(box)
    assert client.sql("CREATE TABLE t (id int)").status == 200
    first = client.ingest("t", BODY, Idempotency_Key="a").json
    # As after a crash between the commit and the record: only the lake's snapshot knows of it.
    with psycopg.connect(host=str(box.data_dir / "run"), port=box.catalog_port, user="boathouse",
                         dbname="boathouse_lakehouse", autocommit=True) as connection:
        assert connection.execute("DELETE FROM ingest.answers").rowcount == 1
    box.restart()
    again = client.ingest("t", BODY, Idempotency_Key="a")
    assert again.headers["Idempotency-Replayed"] == "true" and again.json == first
    assert count(client, "t") == 2


def test_an_engine_that_is_killed_writes_no_row_twice(new_box):
    box = new_box()
    client = Client(box)
    assert client.sql("CREATE TABLE t (id int)").status == 200
    box.expect("postgres: |engine|http: |gateway: ")

    def send(number):
        """Until it is answered; a client that knows nothing but its key."""
        while True:
            try:
                answer = client.ingest("t", json.dumps({"id": number}), Idempotency_Key=f"k{number}")
            except (OSError, HTTPException):
                answer = None
            if answer and answer.status == 200:
                return
            assert answer is None or answer.status in (409, 500, 503), answer
            time.sleep(0.05)

    def write(writer):
        for number in range(writer * 100, writer * 100 + 15):
            send(number)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for _ in range(2):
        engine = box.child("boathouse-engine")
        engine.kill()
        engine.wait(60)
        box.wait_ready()
    for writer in writers:
        writer.join()
    assert client.rows("SELECT count(*) AS n, count(DISTINCT id) AS d FROM t") == [{"n": 60, "d": 60}]
