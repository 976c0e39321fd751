"""POST /v1/tables/…/rows: every format and encoding, and everything that is wrong with rows."""

import gzip
import json
import socket
import threading

import pyarrow
import pytest
from http_client import CSV, JSON, NDJSON, PARQUET, Client, parquet

GOOD = [{"id": 1, "name": "a", "price": 2.5, "day": "2026-01-02"}, {"id": 2, "name": None, "price": None, "day": None}]


def ndjson(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def contents(client, table):
    return client.rows(f"SELECT * FROM {table} ORDER BY id")


@pytest.mark.parametrize("content_type, body", [
    (NDJSON, ndjson(GOOD)), (NDJSON, "\n" + ndjson(GOOD).replace("\n", "\r\n\n").rstrip()), (JSON, json.dumps(GOOD)),
    (CSV, 'id,name,price,day\n1,a,2.5,2026-01-02\n2,,,\n'),
    (CSV, 'day;ignored'.split(";")[0] + ',price,"name",ID\r\n2026-01-02,2.50,"a",1\r\n,,,2'),
    (PARQUET, parquet(id=[1, 2], name=["a", None], price=[2.5, None], day=["2026-01-02", None]))])
def test_formats(client, table, content_type, body):
    answer = client.ingest(f"public.{table}", body, content_type)
    assert answer.status == 200, answer
    assert answer.json["rows"] == 2 and answer.json["snapshot"] > 0
    assert contents(client, table) == GOOD


def test_the_snapshot_is_the_one_that_has_the_rows(client, table):
    snapshots = [client.ingest(table, f'{{"id": {i}}}').json["snapshot"] for i in range(3)]
    assert snapshots == sorted(set(snapshots))
    for i, snapshot in enumerate(snapshots):
        assert client.rows(f"SELECT count(*) AS n FROM {table} AT (VERSION => {snapshot})") == [{"n": i + 1}]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_encodings(client, table, encoding):
    plain = ndjson([{"id": i} for i in range(20_000)]).encode()
    packed = gzip.compress(plain) if encoding == "gzip" else pyarrow.compress(plain, "zstd", asbytes=True)
    assert client.ingest(table, packed, Content_Encoding=encoding).json["rows"] == 20_000
    cut_off = client.ingest(table, packed[:-10], Content_Encoding=encoding)
    assert cut_off.status == 400 and "Nothing is written" in cut_off.json["hint"]
    assert client.ingest(table, b"no such thing", Content_Encoding=encoding).status == 400
    assert client.ingest(table, packed, Content_Encoding="br").status == 415
    assert client.rows(f"SELECT count(*) AS n FROM {table}") == [{"n": 20_000}]


def test_two_gzip_members_are_one_body(client, table):
    body = gzip.compress(b'{"id": 1}\n') + gzip.compress(b'{"id": 2}\n')
    assert client.ingest(table, body, Content_Encoding="gzip").json["rows"] == 2


def test_values_keep_what_they_are(client, new_table):
    table = new_table("id int, big bigint, exact decimal(38, 10), ratio double, flag boolean, moment timestamptz, "
                      "list int[], pair struct(x int, y text), doc json, word text, raw uuid")
    row = ('{"id": 1, "big": 9223372036854775807, "exact": 1234567890123456789012345678.0123456789, "ratio": -1.5e-300,'
           ' "flag": true, "moment": "2026-01-02T03:04:05+02:00", "list": [1, null, 3], "pair": {"x": 1, "y": "a\\"b"},'
           ' "doc": {"a": [1, {"b": "ü\\n"}], "c": "s"}, "word": "\\u00fc\\ud83d\\ude00", '
           '"raw": "c0ffee00-0000-4000-8000-000000000001"}')
    assert client.ingest(table, row).status == 200
    got = client.rows(f"SELECT big::text AS big, exact::text AS exact, ratio, flag, moment::text AS moment, list, pair.y AS y, "
                      f"doc::text AS doc, word, raw::text AS raw FROM {table}")[0]
    assert got["big"] == "9223372036854775807" and got["exact"] == "1234567890123456789012345678.0123456789"
    assert got["ratio"] == -1.5e-300 and got["flag"] is True and got["moment"].startswith("2026-01-02 01:04:05")
    assert got["list"] == [1, None, 3] and got["y"] == 'a"b'
    assert json.loads(got["doc"]) == {"a": [1, {"b": "ü\n"}], "c": "s"}
    assert got["word"] == "ü😀" and got["raw"] == "c0ffee00-0000-4000-8000-000000000001"


def test_columns_left_out_have_their_defaults(client, new_table):
    table = new_table("id int, state text DEFAULT 'new', n int DEFAULT 7")
    assert client.ingest(table, '{"id": 1}\n{"id": 2, "state": null, "n": 1}\n{"id": 3, "state": "x"}').status == 200
    assert contents(client, table) == [{"id": 1, "state": "new", "n": 7}, {"id": 2, "state": None, "n": 1},
                                       {"id": 3, "state": "x", "n": 7}]


def test_an_empty_body_writes_nothing(client, table):
    assert client.ingest(table, "").json == {"rows": 0}
    assert client.ingest(table, "[]", JSON).json == {"rows": 0}


# ------------------------------------------------------------------- wrong rows

@pytest.mark.parametrize("row, code, column, words", [
    ('{"id": 1,}', "22032", None, "line 2 is not a JSON object"), ("[1]", "22032", None, "a row is a JSON object"),
    ('{"id": 1} x', "22032", None, "line 2"), ('{"id": "one"}', "22P02", "id", '"one"'),
    ('{"id": 1, "day": "2026-02-30"}', "22P02", "day", "DATE"), ('{"name": "x"}', "23502", "id", "not-null"),
    ('{"id": null}', "23502", "id", "not-null"), ('{"id": 1, "nmae": "x"}', "42703", "nmae", "did you mean name"),
    ('{"id": 12345678901}', "22P02", "id", "INTEGER")])
def test_a_bad_row_writes_nothing_and_is_named(client, table, row, code, column, words):
    answer = client.ingest(table, f'{{"id": 1}}\n{row}\n{{"id": 3}}\n')
    assert answer.status == 422 and answer.headers["Content-Type"] == "application/problem+json", answer
    assert (answer.json["code"], answer.json["faulty"]) == (code, 1)
    (fault,) = answer.json["faults"]
    assert (fault["row"], fault["code"], fault.get("column")) == (2, code, column)
    assert words in fault["message"] and fault["message"] in answer.json["title"]
    assert contents(client, table) == []
    skipped = client.ingest(table, f'{{"id": 1}}\n{row}\n{{"id": 3}}\n', query="?on_error=skip")
    assert (skipped.status, skipped.json["rows"], skipped.json["skipped"]) == (200, 2, 1)
    assert skipped.json["faults"] == answer.json["faults"]
    assert [one["id"] for one in contents(client, table)] == [1, 3]


def test_many_bad_rows_are_counted_and_the_first_hundred_named(client, table):
    body = ndjson([{"id": i if i % 10 else "bad"} for i in range(5_000)])
    answer = client.ingest(table, body, query="?on_error=skip")
    assert (answer.json["rows"], answer.json["skipped"], len(answer.json["faults"])) == (4_500, 500, 100)
    assert [fault["row"] for fault in answer.json["faults"]] == list(range(1, 1_000, 10))


def test_bad_csv(client, table):
    answer = client.ingest(table, "id,name\n1,a\n2,b,c\n3\n4,d\n", CSV, "?on_error=skip")
    assert (answer.json["rows"], [fault["row"] for fault in answer.json["faults"]]) == (2, [3, 4])
    answer = client.ingest(table, 'id,name\n1,"a\n', CSV)
    assert answer.status in (400, 422) and "CSV" in answer.json["title"]
    answer = client.ingest(table, b"id,name\n1,\xff\n", CSV)
    assert answer.status == 422 and answer.json["code"] == "22021"


def test_bad_json_arrays_name_the_line(client, table):
    answer = client.ingest(table, '[{"id": 1},\n {"id": 2},\n {"id": }]', JSON)
    assert answer.status == 422 and "line 3" in answer.json["title"]
    assert client.ingest(table, '{"id": 1}', JSON).status == 422
    assert contents(client, table) == []


def test_no_parquet(client, table):
    assert client.ingest(table, b"PAR1 but not really", PARQUET).json["code"] == "22P04"


def test_requests_that_name_no_table_or_the_wrong_thing(client, table):
    answer = client.ingest("public.no_such_table", '{"id": 1}')
    assert (answer.status, answer.json["code"]) == (404, "42P01") and "create=true" in answer.json["hint"]
    assert client.request("POST", "/v1/tables/x", b"", {"Content-Type": NDJSON}).status == 404
    assert client.ingest(table, "x", "text/html").status == 415
    assert client.ingest(table, '{"id": 1}', query="?on_error=maybe").status == 400
    answer = client.ingest(table, '{"id": 1}', query="?upsert=true")
    assert answer.status == 400 and "on_error" in answer.json["hint"]


# ------------------------------------------------------------------ create, add

def test_the_first_batch_creates_the_table(client, new_table):
    table = new_table()
    body = ndjson([{"id": 1, "name": "a", "at": "2026-01-02 03:04:05"}, {"id": 2, "ratio": 0.5}])
    assert client.ingest(table, body, query="?create=true").json["rows"] == 2
    assert contents(client, table) == [{"id": 1, "name": "a", "at": "2026-01-02 03:04:05", "ratio": None},
                                       {"id": 2, "name": None, "at": None, "ratio": 0.5}]
    types = client.rows(f"SELECT column_name AS n, data_type AS t FROM information_schema.columns "
                        f"WHERE table_name = '{table}' ORDER BY 1")
    assert {row["n"]: row["t"] for row in types}["at"].upper().startswith("TIMESTAMP")
    assert client.ingest(table, '{"id": 3}', query="?create=true").json["rows"] == 1


@pytest.mark.parametrize("content_type, body", [(CSV, "id,name\n1,a\n"), (JSON, '[{"id": 1, "name": "a"}]'),
                                                (PARQUET, parquet(id=[1], name=["a"]))])
def test_any_format_creates(client, new_table, content_type, body):
    table = new_table()
    assert client.ingest(f"main.{table}", body, content_type, "?create=true").status == 200
    assert contents(client, table) == [{"id": 1, "name": "a"}]


def test_new_columns_are_added(client, table):
    answer = client.ingest(table, '{"id": 1, "colour": "red", "size": 3}', query="?add_columns=true")
    assert answer.status == 200, answer
    assert contents(client, table)[0] | {"colour": "red", "size": 3} == contents(client, table)[0]


def test_who_may_not_create_or_add(box, client, table, new_table, new_user):
    writer = new_user(box, f"GRANT INSERT ON {table} TO {{}}")
    assert writer.ingest(table, '{"id": 1}').status == 200
    assert writer.ingest(table, '{"id": 1, "x": 1}', query="?add_columns=true").status == 403
    assert writer.ingest(new_table(), '{"id": 1}', query="?create=true").status == 403


# -------------------------------------------------------------------- who, and how much

def test_writing_takes_the_privilege_to_insert(box, client, table, new_user):
    reader = new_user(box, f"GRANT SELECT ON {table} TO {{}}")
    answer = reader.ingest(table, '{"id": 1}')
    assert (answer.status, answer.json["code"]) == (403, "42501")
    assert contents(client, table) == []


def test_bodies_beyond_the_limits(new_box):
    box = new_box(flags=["--http-body-mb", "1"])
    client = Client(box)
    assert client.sql("CREATE TABLE t (id int, name text)").status == 200
    answer = client.ingest("t", b"x" * (1 << 20) + b"x")
    assert answer.status == 413 and "http_body_mb" in answer.json["hint"]
    bomb = gzip.compress(b"\n" * (20 << 20))
    assert client.ingest("t", bomb, Content_Encoding="gzip").status == 413
    assert client.ingest("t", iter([b"x" * (1 << 19)] * 3)).status == 413
    assert client.ingest("t", '{"id": 1}').json["rows"] == 1


def test_one_user_s_requests_are_counted(new_box):
    box = new_box(flags=["--http-requests-per-second", "1"])
    client = Client(box)
    answers = [client.sql("SELECT 1 AS one") for _ in range(20)]
    refused = [answer for answer in answers if answer.status == 429]
    assert answers[0].status == 200 and refused
    assert int(refused[0].headers["Retry-After"]) >= 1 and "a second" in refused[0].json["title"]


def test_a_client_that_vanishes_mid_body(box, client, table):
    head = (f"POST /v1/tables/{table}/rows HTTP/1.1\r\nHost: x\r\nContent-Type: {NDJSON}\r\n"
            f"Authorization: {client.authorization}\r\nContent-Length: 100\r\n\r\n")
    with socket.create_connection((box.host, box.http_port)) as connection:
        connection.sendall(head.encode() + b'{"id": 1}\n')
    assert client.ingest(table, '{"id": 2}').json["rows"] == 1
    assert [row["id"] for row in contents(client, table)] == [2]


def test_a_body_is_invited(box, client, table):
    body = b'{"id": 1}\n'
    head = (f"POST /v1/tables/{table}/rows HTTP/1.1\r\nHost: x\r\nContent-Type: {NDJSON}\r\nConnection: close\r\n"
            f"Authorization: {client.authorization}\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n")
    with socket.create_connection((box.host, box.http_port), timeout=60) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 ") and json.loads(answer.split(b"\r\n\r\n")[1])["rows"] == 1


def test_many_writers_at_once(client, table):
    failures = []

    def write(writer):
        for batch in range(10):
            rows = [{"id": writer * 1_000 + batch * 10 + i, "name": "x"} for i in range(10)]
            answer = client.ingest(table, ndjson(rows))
            if answer.status != 200:
                failures.append(answer)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failures
    assert client.rows(f"SELECT count(*) AS n, count(DISTINCT id) AS d FROM {table}") == [{"n": 800, "d": 800}]
