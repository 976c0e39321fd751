"""GET /v1/tables/{table}/changes and /v1/consumers: what is told, from where, to whom, and for how long."""

import http.client
import json
import time

import pytest
from http_client import NDJSON, Client

DEADLINE_SECONDS = 60


def changes(client, table, query=""):
    """The lines of one page, and the cursor to go on from."""
    answer = client.request("GET", f"/v1/tables/{table}/changes{query}")
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == NDJSON
    return [json.loads(line) for line in answer.body.splitlines()], answer.headers["Boathouse-Cursor"]


def told(lines):
    return [(line["change"], line["row"], line["data"]) for line in lines]


def newest(client):
    return client.rows("SELECT id FROM ducklake_current_snapshot('lake')")[0]["id"]


class Events:
    """A stream of server-sent events, read as a browser does."""

    def __init__(self, client, table, query="", **headers):
        self.connection = http.client.HTTPConnection(client.box.host, client.box.http_port, timeout=DEADLINE_SECONDS)
        self.connection.request("GET", f"/v1/tables/{table}/changes{query}",
                                headers={"Authorization": client.authorization, "Accept": "text/event-stream"} | headers)
        self.response = self.connection.getresponse()
        self.last_id = None

    def __enter__(self):
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"] == "text/event-stream"
        return self

    def __exit__(self, *_):
        self.connection.close()

    def next(self):
        """The next event, (type, data); None at the stream's end."""
        kind, data = "message", None
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            line = self.response.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if line.startswith("id: "):
                self.last_id = line[4:]
            elif line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif not line and data is not None:
                return kind, data
        raise AssertionError("no event came")


@pytest.fixture
def start(client):
    """The newest snapshot, before a test has changed anything."""
    return newest(client)


def test_every_kind_of_change_is_told(client, door, new_table, start):
    table = new_table("id int, name text")
    door.execute(f"INSERT INTO {table} VALUES (1, 'one'), (2, 'two')")
    door.execute(f"UPDATE {table} SET name = 'ONE' WHERE id = 1")
    door.execute(f"DELETE FROM {table} WHERE id = 2")
    lines, cursor = changes(client, table, f"?since={start}")
    assert told(lines) == [("insert", 0, {"id": 1, "name": "one"}), ("insert", 1, {"id": 2, "name": "two"}),
                           ("update_preimage", 0, {"id": 1, "name": "one"}),
                           ("update_postimage", 0, {"id": 1, "name": "ONE"}),
                           ("delete", 1, {"id": 2, "name": "two"})]
    assert [line["snapshot"] for line in lines] == [start + 2] * 2 + [start + 3] * 2 + [start + 4]
    assert (cursor, changes(client, table, f"?since={cursor}")) == (str(start + 4), ([], cursor))


def test_reading_goes_on_after_any_line(client, door, new_table, start):
    table = new_table("id int")
    for first in (0, 10, 20):
        door.execute(f"INSERT INTO {table} SELECT range FROM range({first}, {first + 10})")
    whole, _ = changes(client, table, f"?since={start}")
    assert [line["data"]["id"] for line in whole] == list(range(30))
    for at in (0, 4, 9, 10, 29):
        rest, _ = changes(client, table, f"?since={whole[at]['cursor']}")
        assert rest == whole[at + 1:]
    paged, cursor = [], str(start)
    while True:
        lines, cursor = changes(client, table, f"?since={cursor}&limit=7")
        paged += lines
        if len(lines) < 7:
            break
    assert paged == whole


def test_what_a_direct_client_commits_is_told(client, box, duckdb_home, new_table, start):
    import duckdb
    table = new_table("id int")
    direct = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    direct.execute(f"LOAD ducklake; LOAD postgres; ATTACH '{box.attach_string}' AS lake")
    with Events(client, table, f"?since={start}") as events:
        direct.execute(f"INSERT INTO lake.{table} VALUES (7)")
        assert events.next()[1]["data"] == {"id": 7}


def test_maintenance_is_no_change(client, door, new_table, start):
    table = new_table("id int, name text")
    door.execute(f"INSERT INTO {table} SELECT range, 'a' FROM range(100)")
    door.execute(f"INSERT INTO {table} VALUES (100, 'few')")
    door.execute(f"UPDATE {table} SET name = 'b' WHERE id BETWEEN 20 AND 30")
    door.execute(f"UPDATE {table} SET name = 'c' WHERE id = 25")
    door.execute(f"DELETE FROM {table} WHERE id < 50")
    before, _ = changes(client, table, f"?since={start}")
    assert len(before) == 101 + 2 * 11 + 2 + 50
    for call in ("ducklake_flush_inlined_data('lake')", "ducklake_merge_adjacent_files('lake')",
                 f"ducklake_rewrite_data_files('lake', '{table}', delete_threshold => 0)"):
        door.execute(f"CALL {call}")
        lines, cursor = changes(client, table, f"?since={start}")
        assert lines == before
    assert cursor == str(newest(client)), "the snapshots of the maintenance are passed"


def test_columns_and_names_are_those_of_the_time(client, door, new_table, start):
    table, renamed = new_table("id int"), new_table()
    door.execute(f"INSERT INTO {table} VALUES (1)")
    door.execute(f'ALTER TABLE {table} ADD COLUMN "row" text')
    door.execute(f"INSERT INTO {table} VALUES (2, 'x')")
    door.execute(f"ALTER TABLE {table} RENAME TO {renamed}")
    door.execute(f"DELETE FROM {renamed} WHERE id = 1")
    door.execute(f"ALTER TABLE {renamed} DROP COLUMN id")
    door.execute(f"INSERT INTO {renamed} VALUES ('y')")
    lines, _ = changes(client, renamed, f"?since={start}")
    assert told(lines) == [("insert", 0, {"id": 1}), ("insert", 1, {"id": 2, "row": "x"}),
                           ("delete", 0, {"id": 1, "row": None}), ("insert", 2, {"row": "y"})]
    assert client.request("GET", f"/v1/tables/{table}/changes?since={start}").status == 404
    door.execute(f"DROP TABLE {renamed}")


def test_columns_that_are_called_as_the_changes_own(client, door, new_table, start):
    table = new_table('snapshot_id int, change_type text, "a ""quoted"" name" struct(x int, y text[]), big hugeint')
    door.execute(f"INSERT INTO {table} VALUES (5, 'x', row(1, ['a', 'b']), 12345678901234567890)")
    lines, _ = changes(client, table, f"?since={start}")
    assert lines[0]["data"] | {"big": None} == {"snapshot_id": 5, "change_type": "x", "big": None,
                                                'a "quoted" name': {"x": 1, "y": ["a", "b"]}}


def test_a_table_that_is_gone_or_made_anew(client, door, new_table, start):
    table = new_table("id int")
    door.execute(f"INSERT INTO {table} VALUES (1)")
    door.execute(f"DROP TABLE {table}")
    dropped = newest(client)
    answer = client.request("GET", f"/v1/tables/{table}/changes?since={start}")
    assert answer.status == 404 and f"in snapshot {dropped}" in answer.json["title"]
    door.execute(f"CREATE TABLE {table} (name text)")
    door.execute(f"INSERT INTO {table} VALUES ('new')")
    answer = client.request("GET", f"/v1/tables/{table}/changes?since={start}")
    assert answer.status == 410 and answer.json["oldest"] == str(dropped)
    assert f"made anew in snapshot {dropped + 1}" in answer.json["title"]
    lines, _ = changes(client, table, f"?since={answer.json['oldest']}")
    assert told(lines) == [("insert", 0, {"name": "new"})]


def test_changes_that_have_expired_are_gone(new_box):
    box = new_box()
    client = Client(box)
    for statement in ("CREATE TABLE t (id int)", *[f"INSERT INTO t VALUES ({i})" for i in range(6)]):
        assert client.sql(statement).status == 200
    last = newest(client)
    assert client.sql(f"CALL ducklake_expire_snapshots('lake', versions => [{last - 4}, {last - 3}])").status == 200
    answer = client.request("GET", f"/v1/tables/t/changes?since={last - 5}")
    assert answer.status == 410 and answer.json["oldest"] == str(last - 2)
    assert "AT (VERSION" in answer.json["hint"]
    lines, _ = changes(client, "t", f"?since={answer.json['oldest']}")
    assert [line["data"]["id"] for line in lines] == [4, 5]
    assert client.request("GET", f"/v1/tables/t/changes?since={last - 3}").status == 410, "its own snapshot has ended"


def test_waiting_ends_with_a_change(client, door, new_table):
    table, other = new_table("id int"), new_table("id int")
    _, cursor = changes(client, table)
    with Events(client, table) as events:  # it has begun when the other statements come
        door.execute(f"INSERT INTO {other} VALUES (1)")
        door.execute(f"INSERT INTO {table} VALUES (2)")
        assert events.next() == ("change", changes(client, table, f"?since={cursor}&wait=60")[0][0])
    assert changes(client, table, f"?since={cursor}&wait=60")[0][0]["data"] == {"id": 2}


def test_waiting_in_vain_goes_past_what_does_not_concern_the_table(client, door, new_table):
    table, other = new_table("id int"), new_table("id int")
    _, cursor = changes(client, table)
    door.execute(f"INSERT INTO {other} VALUES (1)")
    lines, later = changes(client, table, f"?since={cursor}&wait=1")
    assert (lines, int(later)) == ([], newest(client))


def test_a_stream_goes_on_and_is_taken_up_again(client, door, new_table, start):
    table = new_table("id int")
    door.execute(f"INSERT INTO {table} VALUES (1), (2)")
    with Events(client, table, f"?since={start}") as events:
        assert [events.next()[1]["data"]["id"] for _ in range(2)] == [1, 2]
        door.execute(f"INSERT INTO {table} VALUES (3), (4)")
        assert events.next()[1]["data"] == {"id": 3}
        last = events.last_id
    with Events(client, table, f"?since={start}", **{"Last-Event-ID": last}) as events:
        assert events.next()[1]["data"] == {"id": 4}
        door.execute(f"UPDATE {table} SET id = 40 WHERE id = 4")
        assert [events.next()[1]["change"] for _ in range(2)] == ["update_preimage", "update_postimage"]


def test_a_stream_ends_with_its_table(client, door, new_table):
    table = new_table("id int")
    with Events(client, table) as events:
        door.execute(f"DROP TABLE {table}")
        kind, problem = events.next()
        assert kind == "error" and problem["status"] == 404, problem
        assert events.next() is None


def test_a_stream_ends_when_the_box_does(new_box):
    box = new_box()
    client = Client(box)
    assert client.sql("CREATE TABLE t (id int)").status == 200
    with Events(client, "t") as events:
        assert box.stop() == 0
        assert events.next() is None


def test_a_slow_reader_costs_a_file_and_gets_everything(client, door, new_table, start):
    table = new_table("id int, filler text")
    door.execute(f"INSERT INTO {table} SELECT range, repeat('x', 1000) FROM range(50000)")
    with Events(client, table, f"?since={start}") as slow:
        assert slow.next()[1]["data"]["id"] == 0
        # 50 MB wait; others are served meanwhile.
        assert len(changes(client, table, f"?since={start}&limit=10")[0]) == 10
        assert client.rows("SELECT 1 AS one") == [{"one": 1}]
        ids = [slow.next()[1]["data"]["id"] for _ in range(49_999)]
    assert ids == list(range(1, 50_000))


def test_who_may_not_read_is_told_nothing(client, door, new_user, new_table, start, box):
    table, renamed = new_table("id int, secret text"), new_table()
    door.execute(f"INSERT INTO {table} VALUES (1, 'x')")
    part = new_user(box, f"GRANT SELECT (id) ON {table} TO {{}}")
    nobody = new_user(box)
    reader = new_user(box, f"GRANT SELECT ON {table} TO {{}}")
    for one in (part, nobody):
        for query in ("", f"?since={start}"):
            assert one.request("GET", f"/v1/tables/{table}/changes{query}").status == 403
    assert len(changes(reader, table, f"?since={start}")[0]) == 1
    door.execute(f"ALTER TABLE {table} RENAME TO {renamed}")
    assert len(changes(reader, renamed, f"?since={start}")[0]) == 1, "under its old name too"
    with Events(reader, renamed) as events:
        door.execute(f"REVOKE SELECT ON {renamed} FROM {reader.user}")
        door.execute(f"INSERT INTO {renamed} VALUES (2, 'y')")
        kind, problem = events.next()
        assert (kind, problem["code"]) == ("error", "42501")


@pytest.mark.parametrize("query, status", [("?since=x", 400), ("?since=1.2.3", 400), ("?limit=0", 400), ("?wait=61", 400),
                                           ("?consumer=", 400), ("?nothing=1", 400), ("?since=999999999", 422)])
def test_requests_that_make_no_sense(client, new_table, query, status):
    assert client.request("GET", f"/v1/tables/{new_table('id int')}/changes{query}").status == status


def test_other_refusals(client, new_table):
    table = new_table("id int")
    assert client.request("GET", f"/v1/tables/{table}/changes", headers={"Accept": "text/html"}).status == 406
    assert client.request("GET", "/v1/tables/nowhere/changes").status == 404
    assert client.request("GET", f"/v1/tables/{table}/nothing").status == 404
    assert client.request("GET", f"/v1/tables/{table}/changes", headers={"Authorization": ""}).status == 401


def consumer_of(client, name):
    listed = client.request("GET", "/v1/consumers")
    assert listed.status == 200
    return {consumer["name"]: consumer for consumer in listed.json["consumers"]}.get(name)


def test_a_consumer_is_known_by_its_name(client, door, new_table):
    table = new_table("id int")
    name = f"of_{table}"
    assert changes(client, table, f"?consumer={name}")[0] == []
    door.execute(f"INSERT INTO {table} VALUES (1)")
    door.execute(f"INSERT INTO {table} VALUES (2)")
    lines, cursor = changes(client, table, f"?consumer={name}")
    assert [line["data"]["id"] for line in lines] == [1, 2]
    assert changes(client, table, f"?consumer={name}")[0] == lines, "nothing is acknowledged yet"
    assert consumer_of(client, name)["lag"] == 2
    acknowledged = client.request("POST", f"/v1/consumers/{name}", json.dumps({"position": lines[0]["cursor"]}))
    assert (acknowledged.status, acknowledged.json["position"]) == (200, lines[0]["cursor"])
    assert changes(client, table, f"?consumer={name}")[0] == lines[1:]
    assert changes(client, table, f"?consumer={name}&since={cursor}")[0] == []
    assert consumer_of(client, name)["position"] == cursor
    client.request("POST", f"/v1/consumers/{name}", json.dumps({"position": "0"}))
    assert consumer_of(client, name)["position"] == cursor, "a position goes forward only"
    assert client.request("DELETE", f"/v1/consumers/{name}").json == {"dropped": name}
    assert consumer_of(client, name) is None
    assert client.request("DELETE", f"/v1/consumers/{name}").status == 404


def test_a_consumer_is_its_owners_and_reads_one_table(client, door, new_user, new_table, box):
    table, other = new_table("id int"), new_table("id int")
    name = f"of_{table}"
    changes(client, table, f"?consumer={name}")
    stranger = new_user(box, f"GRANT SELECT ON {table} TO {{}}")
    refusals = [stranger.request("GET", f"/v1/tables/{table}/changes?consumer={name}"),
                stranger.request("POST", f"/v1/consumers/{name}", json.dumps({"position": "1"})),
                stranger.request("DELETE", f"/v1/consumers/{name}")]
    assert [answer.status for answer in refusals] == [403] * 3
    assert consumer_of(stranger, name) is None
    answer = client.request("GET", f"/v1/tables/{other}/changes?consumer={name}")
    assert answer.status == 409 and table in answer.json["title"]
    for body in ("", "{}", '{"position": 17}', '{"position": "x"}'):
        assert client.request("POST", f"/v1/consumers/{name}", body).status == 400
    assert client.request("POST", f"/v1/consumers/{name}", '{"position": "99999999"}').status == 422
    before = consumer_of(client, name)["position"]
    for one in (name, f"{name}_new"):
        assert client.request("GET", f"/v1/tables/{table}/changes?consumer={one}&since=99999999").status == 422
    assert consumer_of(client, name)["position"] == before, "what is refused acknowledges nothing"
    assert consumer_of(client, f"{name}_new") is None


def test_the_lag_of_consumers_is_measured(client, door, new_table, box):
    table = new_table("id int")
    changes(client, table, f"?consumer=lags_{table}")
    door.execute(f"INSERT INTO {table} VALUES (1)")
    wanted = f'boathouse_consumer_lag_snapshots{{consumer="lags_{table}"}} '
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        _, text = box.http("/metrics")
        line = next((line for line in text.splitlines() if line.startswith(wanted)), None)
        if line and float(line.split()[-1]) >= 1:
            break
        assert time.monotonic() < deadline, text
        time.sleep(0.2)
