"""Arrow IPC streams, in and out, as pyarrow writes and reads them."""

import datetime
import decimal
import gzip
import io
import random

import pyarrow
import pyarrow.ipc
import pytest
from http_client import ARROW

SEED = 20261123
DAMAGES = 300


def stream(table, options=None, batch_rows=None) -> bytes:
    """The bytes of an Arrow stream."""
    out = io.BytesIO()
    with pyarrow.ipc.new_stream(out, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=batch_rows)
    return out.getvalue()


def ask(client, sql) -> pyarrow.Table:
    answer = client.sql(sql, ARROW)
    assert (answer.status, answer.headers["Content-Type"]) == (200, ARROW), answer
    return pyarrow.ipc.open_stream(answer.body).read_all()


# Of SQL: a type, and what pyarrow makes of a value.
TYPES = [("boolean", True), ("tinyint", -1), ("smallint", -2), ("integer", -3), ("bigint", -4), ("utinyint", 1),
         ("usmallint", 2), ("uinteger", 3), ("ubigint", 2**63), ("real", 1.5), ("double", 2.5),
         ("decimal(4, 1)", decimal.Decimal("123.4")), ("decimal(18, 3)", decimal.Decimal("1234.567")),
         ("decimal(38, 10)", decimal.Decimal("-1234567890.0123456789")), ("varchar", "grün"), ("blob", b"\x00\xff"),
         ("date", datetime.date(2026, 1, 2)), ("time", datetime.time(1, 2, 3, 4)),
         ("timestamp", datetime.datetime(2026, 1, 2, 3, 4, 5, 6)),
         ("timestamptz", datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)),
         ("timestamp_s", datetime.datetime(2026, 1, 2, 3, 4, 5)), ("timestamp_ms", datetime.datetime(2026, 1, 2, 3, 4, 5)),
         ("uuid", "11111111-2222-3333-4444-555555555555"), ("integer[]", [1, None, 3]), ("varchar[][]", [["a"], [], None]),
         ("struct(a integer, b varchar[])", {"a": 1, "b": ["x"]}), ("map(varchar, integer)", [("k", 1)])]


def literal(value):
    """As SQL writes it."""
    match value:
        case bool():
            return str(value)
        case bytes():
            return "'" + "".join(f"\\x{byte:02x}" for byte in value) + "'"
        case list() if value and isinstance(value[0], tuple):
            return "map {" + ", ".join(f"{literal(key)}: {literal(one)}" for key, one in value) + "}"
        case list():
            return "[" + ", ".join(literal(one) for one in value) + "]"
        case dict():
            return "{" + ", ".join(f"'{key}': {literal(one)}" for key, one in value.items()) + "}"
        case None:
            return "NULL"
    return f"'{value}'"


@pytest.mark.parametrize(("kind", "value"), TYPES)
def test_types_go_out_and_come_in(client, new_table, kind, value):
    answer = ask(client, f"SELECT {literal(value)}::{kind} AS a UNION ALL SELECT NULL::{kind}")
    assert answer.column("a").to_pylist() == [value, None]
    if kind in ("timestamp_s", "timestamp_ms"):
        return  # no columns of these types are made here
    table = new_table(f"a {kind}")
    written = client.ingest(table, stream(answer), ARROW)
    assert (written.status, written.json.get("rows")) == (200, 2), written
    assert ask(client, f"SELECT a FROM {table}").column("a").to_pylist() == [value, None]


def test_types_that_are_only_of_sql(client):
    answer = ask(client, """SELECT sum(i) AS total, 'a'::ENUM('a', 'b') AS word, ['b'::ENUM('a', 'b')] AS words,
                                   INTERVAL '1 month 2 days 3 seconds' AS span, 2::hugeint AS huge
                            FROM range(5) t(i)""")
    row, = answer.to_pylist()
    assert (int(row["total"]), row["word"], row["words"], int(row["huge"])) == (10, "a", ["b"], 2)
    assert tuple(row["span"]) == (1, 2, 3_000_000_000)


def test_many_rows_go_out(client):
    answer = ask(client, "SELECT range AS id, 'n' || range AS name FROM range(300000)")
    assert answer.num_rows == 300_000 and answer.column("id").num_chunks > 1
    assert answer.column("id").to_pylist() == list(range(300_000))
    assert answer.column("name")[299_999].as_py() == "n299999"


def test_no_rows_go_out_with_their_types(client):
    answer = ask(client, "SELECT 1::bigint AS id, 'x' AS name WHERE false")
    assert (answer.num_rows, answer.schema.types) == (0, [pyarrow.int64(), pyarrow.string()])


def test_statements_of_other_kinds(client, table):
    assert client.sql(f"INSERT INTO {table} (id) VALUES (1)", ARROW).json == {"command": "INSERT 0 1"}
    assert ask(client, f"DELETE FROM {table} RETURNING id").to_pylist() == [{"id": 1}]
    assert client.sql("SELECT 1 / 0 + x FROM nowhere", ARROW).status == 404


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_rows_come_in_batches(client, new_table, compression):
    table = new_table("id int, name text")
    rows = pyarrow.table({"name": [f"n{i}" for i in range(10_000)], "id": pyarrow.array(range(10_000), pyarrow.int64())})
    body = stream(rows, pyarrow.ipc.IpcWriteOptions(compression=compression), batch_rows=999)
    assert client.ingest(table, body, ARROW).json["rows"] == 10_000
    wanted = {"rows": 10_000, "total": sum(range(10_000)), "last": "n9999"}
    assert client.rows(f"SELECT count(*) AS rows, sum(id)::bigint AS total, max_by(name, id) AS last FROM {table}") == [wanted]


def test_a_body_that_is_compressed_as_a_whole(client, new_table):
    table = new_table("id int")
    body = gzip.compress(stream(pyarrow.table({"id": [1, 2]})))
    assert client.ingest(table, body, ARROW, Content_Encoding="gzip").json["rows"] == 2


def test_dictionaries_and_other_encodings(client, new_table):
    table = new_table("word text, words text[], long_text text, many bigint[]")
    columns = {"word": pyarrow.array(["a", "b", None, "a"]).dictionary_encode(),
               "words": pyarrow.ListArray.from_arrays([0, 2, 2, 3, 4], pyarrow.array(["x", "y", "x", "z"]).dictionary_encode()),
               "long_text": pyarrow.array(["1", "2", "3", "4"], pyarrow.large_string()),
               "many": pyarrow.array([[1], [], None, [2, 3]], pyarrow.large_list(pyarrow.int64()))}
    assert client.ingest(table, stream(pyarrow.table(columns)), ARROW).json["rows"] == 4
    assert client.rows(f"SELECT * FROM {table}") == [
        {"word": "a", "words": ["x", "y"], "long_text": "1", "many": [1]},
        {"word": "b", "words": [], "long_text": "2", "many": []},
        {"word": None, "words": ["x"], "long_text": "3", "many": None},
        {"word": "a", "words": ["z"], "long_text": "4", "many": [2, 3]}]


def test_dictionaries_that_change_from_batch_to_batch(client, new_table):
    table = new_table("word text")
    out = io.BytesIO()
    schema = pyarrow.schema({"word": pyarrow.dictionary(pyarrow.int8(), pyarrow.string())})
    with pyarrow.ipc.new_stream(out, schema) as writer:
        for words in (["a", "b"], ["c"], ["c", "d", "a"]):
            writer.write_batch(pyarrow.record_batch({"word": pyarrow.array(words, schema.types[0])}))
    assert client.ingest(table, out.getvalue(), ARROW).json["rows"] == 6
    assert [row["word"] for row in client.rows(f"SELECT word FROM {table}")] == ["a", "b", "c", "c", "d", "a"]


def test_a_dictionary_that_is_compressed_is_refused(client, new_table):
    table = new_table("word text")
    rows = pyarrow.table({"word": pyarrow.array(["a", "b"] * 100).dictionary_encode()})
    told = refused(client, table, stream(rows, pyarrow.ipc.IpcWriteOptions(compression="zstd")))
    assert "message 2" in told and "without a dictionary" in told


def test_empty_batches(client, new_table):
    table = new_table("id int")
    none = pyarrow.table({"id": pyarrow.array([], pyarrow.int32())})
    assert client.ingest(table, stream(none), ARROW).json == {"rows": 0}
    out = io.BytesIO()
    with pyarrow.ipc.new_stream(out, none.schema) as writer:
        for ids in ([], [1], [], [2], []):
            writer.write_batch(pyarrow.record_batch({"id": pyarrow.array(ids, pyarrow.int32())}))
    assert client.ingest(table, out.getvalue(), ARROW).json["rows"] == 2
    assert client.rows(f"SELECT id FROM {table} ORDER BY id") == [{"id": 1}, {"id": 2}]


def test_faulty_rows_are_named(client, table):
    rows = pyarrow.table({"id": [1, None, 3], "price": ["1.50", "2", "dear"]})
    refused = client.ingest(table, stream(rows), ARROW)
    assert (refused.status, refused.json["faulty"]) == (422, 2)
    assert [(fault["row"], fault["column"]) for fault in refused.json["faults"]] == [(2, "id"), (3, "price")]
    skipped = client.ingest(table, stream(rows), ARROW, query="?on_error=skip")
    assert (skipped.json["rows"], skipped.json["skipped"]) == (1, 2)


def test_unknown_columns(client, table):
    rows = stream(pyarrow.table({"id": [1], "colour": ["red"]}))
    refused = client.ingest(table, rows, ARROW)
    assert (refused.status, refused.json["code"]) == (422, "42703")
    assert client.ingest(table, rows, ARROW, query="?add_columns=true").json["rows"] == 1
    assert client.rows(f"SELECT id, colour FROM {table}") == [{"id": 1, "colour": "red"}]


def test_a_table_is_created(client, new_table):
    table = new_table()
    day = datetime.date(2026, 1, 2)
    rows = pyarrow.table({"id": [1], "day": [day], "word": pyarrow.array(["a"]).dictionary_encode(), "tags": [["x"]]})
    assert client.ingest(table, stream(rows), ARROW, query="?create=true").json["rows"] == 1
    assert ask(client, f"SELECT * FROM {table}").to_pylist() == [{"id": 1, "day": day, "word": "a", "tags": ["x"]}]


def test_a_key_and_its_repetition(client, new_table):
    table = new_table("id int")
    body = stream(pyarrow.table({"id": [1]}))
    first = client.ingest(table, body, ARROW, Idempotency_Key="arrow")
    again = client.ingest(table, body, ARROW, Idempotency_Key="arrow")
    assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"
    assert client.rows(f"SELECT id FROM {table}") == [{"id": 1}]


def refused(client, table, body) -> str:
    answer = client.ingest(table, body, ARROW)
    assert (answer.status, answer.json["code"]) == (400, "22P04"), answer
    return answer.json["title"]


def test_bodies_that_are_no_stream(client, table):
    whole = stream(pyarrow.table({"id": [1, 2, 3]}))
    assert "it is empty" in refused(client, table, b"")
    assert "message 1 at byte 0" in refused(client, table, b'{"id": 1}\n{"id": 2}\n')
    assert "end marker" in refused(client, table, whole[:-8])
    assert "cut off" in refused(client, table, whole[:-20])
    out = io.BytesIO()
    with pyarrow.ipc.new_file(out, pyarrow.schema({"id": pyarrow.int32()})):
        pass
    assert "message 1 at byte 0" in refused(client, table, out.getvalue())
    runs = pyarrow.table({"id": pyarrow.RunEndEncodedArray.from_arrays([3, 4], [7, 8])})
    assert "RunEndEncoded not yet supported" in refused(client, table, stream(runs))
    assert client.rows(f"SELECT * FROM {table}") == []


def test_text_that_is_not_utf8(client, new_table):
    table = new_table("name text")
    names = pyarrow.array([b"fine", b"\xff"]).view(pyarrow.string())
    assert 'row 2: column "name"' in refused(client, table, stream(pyarrow.table({"name": names})))
    lists = pyarrow.ListArray.from_arrays([0, 2], names)
    assert "not UTF-8" in refused(client, table, stream(pyarrow.table({"name": lists})))


def test_a_stream_that_unpacks_to_too_much(client, new_table):
    table = new_table("name text")
    names = pyarrow.table({"name": ["x" * 1_000_000] * 100})
    body = stream(names, pyarrow.ipc.IpcWriteOptions(compression="zstd"))
    assert len(body) < 1_000_000
    answer = client.ingest(table, body, ARROW)
    assert answer.status == 413 and "http_body_mb" in answer.json["hint"]
    nothing = stream(pyarrow.table({"name": pyarrow.nulls(60_000_000)}))
    assert client.ingest(table, nothing, ARROW).status == 413


def test_damaged_streams(box, client, new_table):
    """Each is taken or refused, and the engine lives on."""
    table = new_table("id bigint, name text, tags text[], at timestamp, price decimal(10, 2), word text")
    rows = pyarrow.table({"id": range(20), "name": [f"n{i}" for i in range(20)], "tags": [["a"] * (i % 3) for i in range(20)],
                          "at": [datetime.datetime(2026, 1, 1)] * 20, "price": [decimal.Decimal("1.25")] * 20,
                          "word": pyarrow.array(["a", "b"] * 10).dictionary_encode()})
    engine = box.child("boathouse-engine").pid
    body, chance, seen = stream(rows, batch_rows=10), random.Random(SEED), set()
    for _ in range(DAMAGES):
        damaged = bytearray(body)
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(len(damaged))] = chance.choice([0, 0xff, chance.randrange(256)])
        answer = client.ingest(table, bytes(damaged), ARROW)
        assert answer.status in (200, 400, 413, 422), (SEED, answer)
        seen.add(answer.status)
    assert {200, 400} <= seen
    assert box.child("boathouse-engine").pid == engine
    assert client.rows("SELECT 1 AS one") == [{"one": 1}]
