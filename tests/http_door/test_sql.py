"""POST /v1/sql: forms of the answer, who may, and what is refused."""

import csv
import io
import json

import pyarrow.parquet
import pytest
from http_client import CSV, JSON, NDJSON, PARQUET, SQL, Client

ROWS = "SELECT i AS id, 'n' || i AS name FROM range(3) t(i) ORDER BY id"
WANTED = [{"id": 0, "name": "n0"}, {"id": 1, "name": "n1"}, {"id": 2, "name": "n2"}]


def test_json(client):
    answer = client.sql(ROWS)
    assert (answer.status, answer.headers["Content-Type"]) == (200, JSON)
    assert answer.json == WANTED


def test_no_rows_are_an_empty_array(client):
    assert client.rows("SELECT 1 AS one WHERE false") == []


def test_ndjson(client):
    answer = client.sql(ROWS, NDJSON)
    assert answer.headers["Content-Type"] == NDJSON
    assert [json.loads(line) for line in answer.body.splitlines()] == WANTED


def test_csv(client):
    answer = client.sql(ROWS, CSV)
    assert answer.headers["Content-Type"].startswith(CSV)
    assert list(csv.DictReader(io.StringIO(answer.body.decode()))) == [
        {"id": "0", "name": "n0"}, {"id": "1", "name": "n1"}, {"id": "2", "name": "n2"}]


def test_parquet(client):
    answer = client.sql("SELECT range AS id FROM range(100000)", PARQUET)
    assert answer.headers["Content-Type"] == PARQUET
    table = pyarrow.parquet.read_table(io.BytesIO(answer.body))
    assert table.num_rows == 100_000 and table.column("id").to_pylist()[-1] == 99_999


def test_the_first_known_form_in_accept_counts(client):
    assert client.sql(ROWS, "text/html, text/csv;q=0.9, */*").headers["Content-Type"].startswith(CSV)
    assert client.sql(ROWS, "text/html, */*").headers["Content-Type"] == JSON
    refused = client.sql(ROWS, "text/html")
    assert refused.status == 406 and "text/csv" in refused.json["hint"]


def test_a_statement_in_json(client):
    answer = client.request("POST", "/v1/sql", json.dumps({"sql": ROWS}), {"Content-Type": JSON})
    assert answer.json == WANTED


def test_statements_that_return_nothing_tell_their_command(client, table):
    assert client.sql(f"INSERT INTO {table} VALUES (1, 'a', 2.5, '2026-01-02')").json == {"command": "INSERT 0 1"}
    assert client.rows(f"SELECT * FROM {table}") == [{"id": 1, "name": "a", "price": 2.5, "day": "2026-01-02"}]
    assert client.rows(f"DELETE FROM {table} RETURNING id") == [{"id": 1}]


def test_what_is_made_belongs_to_its_maker(box, new_user, new_table):
    maker = new_user(box, "GRANT CREATE, USAGE ON SCHEMA public TO {}")
    name = new_table()
    assert maker.sql(f"CREATE TABLE {name} (id int)").json == {"command": "CREATE TABLE"}
    assert maker.sql(f"INSERT INTO {name} VALUES (1)").status == 200
    assert new_user(box).sql(f"SELECT * FROM {name}").status == 403


def test_errors_say_what_where_and_what_to_do(client):
    answer = client.sql("SELECT nothing FROM nowhere")
    assert answer.status == 404 and answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["code"] == "42P01" and "nowhere" in answer.json["title"]
    answer = client.sql("SELEC 1")
    assert (answer.status, answer.json["code"]) == (400, "42601")
    assert answer.json["position"] == 1


def test_an_error_in_the_last_row_is_a_status(client):
    answer = client.sql("SELECT CASE WHEN i = 999999 THEN error('too far') ELSE i END AS i FROM range(1000000) t(i)")
    assert answer.status >= 400 and "too far" in answer.json["title"]


@pytest.mark.parametrize("text, code", [("BEGIN", "0A000"), ("SET TimeZone = 'UTC'", "0A000"), ("", "42601"),
                                        ("SELECT 1; SELECT 2", "42601"), ("-- nothing", "42601"),
                                        ("SELECT * FROM read_csv('/etc/passwd')", "42501"),
                                        ("COPY (SELECT 1) TO '/tmp/x'", "0A000")])
def test_what_a_request_may_not_run(client, text, code):
    answer = client.sql(text)
    assert answer.status >= 400 and answer.json["code"] == code


def test_bodies_that_hold_no_statement(client):
    for body, content_type, status in [(b"SELECT 1", "text/plain", 415), (b"SELECT 1", "", 415), (b"{", JSON, 400),
                                       (b'{"query": "SELECT 1"}', JSON, 400), (b'"SELECT 1"', JSON, 400),
                                       (b"SELECT '\xff'", SQL, 422)]:
        answer = client.request("POST", "/v1/sql", body, {"Content-Type": content_type})
        assert answer.status == status, (body, answer)


def test_the_role_s_settings_hold(box, client, door, new_user):
    user = new_user(box, "ALTER ROLE {} SET statement_timeout = '200ms'")
    answer = user.sql("SELECT count(*) FROM range(100000) a, range(100000) b WHERE a.range * b.range % 7 = 3")
    assert answer.status == 504 and "statement timeout" in answer.json["title"]


def test_users_without_a_password(box, client):
    answer = client.request("POST", "/v1/sql", b"SELECT 1", {"Authorization": "", "Content-Type": SQL})
    assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Basic ")
    answer = client.request("POST", "/v1/sql", b"SELECT 1", {"Authorization": "Digest x", "Content-Type": SQL})
    assert answer.status == 401


def test_wrong_passwords(box):
    box.expect("refused: wrong password")
    for user in [box.user, "nobody_of_that_name"]:
        answer = Client(box, user, "wrong").sql("SELECT 1")
        assert answer.status == 401 and answer.json["code"] == "28P01"


def test_privileges_are_those_of_the_sql_door(box, client, table, new_user):
    user = new_user(box)
    assert user.sql(f"SELECT * FROM {table}").status == 403
    reader = new_user(box, f"GRANT SELECT ON {table} TO {{}}")
    assert reader.rows(f"SELECT * FROM {table}") == []
    answer = reader.sql(f"DELETE FROM {table}")
    assert (answer.status, answer.json["code"]) == (403, "42501")
