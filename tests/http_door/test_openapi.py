"""The OpenAPI description, walked against the running server: what it promises is there, and nothing else answers."""

import json
import re

import jsonschema
import pyarrow
import pytest
from http_client import ARROW, JSON, PARQUET, arrow, parquet


@pytest.fixture(scope="module")
def description(box):
    status, text = box.http("/v1/openapi.json")
    assert status == 200
    return json.loads(text)


def resolved(description, node):
    """The node with its references replaced by what they name."""
    if isinstance(node, dict):
        if "$ref" in node:
            target = description
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            return resolved(description, target)
        return {name: resolved(description, value) for name, value in node.items()}
    return [resolved(description, value) for value in node] if isinstance(node, list) else node


def operations(description):
    for path, item in description["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), resolved(description, operation)


def check(operation, answer):
    """The answer is one that the description has: status, media type, and shape."""
    response = operation["responses"][str(answer.status)]
    media_type = answer.headers["Content-Type"].split(";")[0]
    schema = response["content"][media_type]["schema"]
    if media_type in (JSON, "application/problem+json"):
        jsonschema.Draft202012Validator(schema).validate(answer.json)


def test_the_description_is_well_formed(description):
    assert description["openapi"].startswith("3.1")
    ids = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(ids) == len(set(ids)) == 7
    for _, _, operation in operations(description):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            jsonschema.Draft202012Validator.check_schema(content["schema"])
        for response in operation["responses"].values():
            assert response["description"]
            for content in response.get("content", {}).values():
                jsonschema.Draft202012Validator.check_schema(content["schema"])


def test_every_example_is_taken(description, client, new_table):
    table = new_table("id int")
    examples = {PARQUET: parquet(id=pyarrow.array([5], pyarrow.int32())),
                ARROW: arrow(id=pyarrow.array([6], pyarrow.int32()))}
    sent = 0
    client.request("GET", f"/v1/tables/{table}/changes?consumer=example")
    for path, method, operation in operations(description):
        path = path.replace("{table}", f"public.{table}").replace("{consumer}", "example")
        for media_type, content in operation.get("requestBody", {}).get("content", {"": {}}).items():
            body = examples.get(media_type) or content.get("example", "")
            if not isinstance(body, str | bytes):
                body = json.dumps(body)
            answer = client.request(method, path, body, {"Content-Type": media_type})
            assert answer.status == 200, (path, media_type, answer)
            check(operation, answer)
            sent += 1
    assert sent == 12
    assert client.rows(f"SELECT id FROM {table} ORDER BY id") == [{"id": i} for i in range(1, 7)]


def test_every_form_of_answer_is_given(description, client):
    operation = resolved(description, description["paths"]["/v1/sql"]["post"])
    for media_type in operation["responses"]["200"]["content"]:
        answer = client.sql("SELECT 1 AS one", media_type)
        assert answer.headers["Content-Type"].split(";")[0] == media_type
        check(operation, answer)


def test_refusals_are_as_described(description, client, new_table):
    table = new_table("id int NOT NULL")
    rows = resolved(description, description["paths"]["/v1/tables/{table}/rows"]["post"])
    sql = resolved(description, description["paths"]["/v1/sql"]["post"])
    for answer in [client.ingest(table, '{"id": "x"}'), client.ingest("nowhere", '{"id": 1}'),
                   client.ingest(table, "x", "text/html"), client.ingest(table, '{"id": 1}', query="?x=1"),
                   client.ingest(table, '{"id": 1}', Content_Encoding="br"),
                   client.ingest(table, '{"id": "x"}', query="?on_error=skip"),
                   client.request("POST", f"/v1/tables/{table}/rows", b"", {"Authorization": ""})]:
        check(rows, answer)
    for answer in [client.sql("SELEC"), client.sql("SELECT 1", "text/html"), client.sql("SELECT * FROM nowhere"),
                   client.sql("SELECT 'x'::int"), client.sql(f"CREATE TABLE {table} (id int)")]:
        check(sql, answer)


def test_changes_are_as_described(description, client, new_table):
    table = new_table("id int")
    changes = resolved(description, description["paths"]["/v1/tables/{table}/changes"]["get"])
    before = client.rows("SELECT id FROM ducklake_current_snapshot('lake')")[0]["id"]
    client.ingest(table, '{"id": 1}')
    page = client.request("GET", f"/v1/tables/{table}/changes?since={before}")
    check(changes, page)
    for line in page.body.splitlines():
        schema = changes["responses"]["200"]["content"]["application/x-ndjson"]["schema"]
        jsonschema.Draft202012Validator(schema).validate(json.loads(line))
    for answer in [client.request("GET", f"/v1/tables/{table}/changes?since=99999999"),
                   client.request("GET", f"/v1/tables/{table}/changes?since=x"),
                   client.request("GET", "/v1/tables/nowhere/changes")]:
        check(changes, answer)
    values = {"since": before, "limit": 1, "wait": 1, "consumer": f"of_{table}"}
    for parameter in changes["parameters"]:
        if parameter["in"] == "query":
            name = parameter["name"]
            assert client.request("GET", f"/v1/tables/{table}/changes?{name}={values[name]}").status == 200


def test_every_path_of_the_server_is_described(description, client):
    refused = client.request("GET", "/v1/nothing")
    known = re.findall(r"/v1/[^ ,\"]*", refused.json["hint"])
    described = {path.split("{")[0] for path in description["paths"]}
    assert set(known) == described


def test_parameters_are_all_known(description, client, new_table):
    table = new_table("id int")
    operation = resolved(description, description["paths"]["/v1/tables/{table}/rows"]["post"])
    values = {"boolean": "true", "string": "skip"}
    for parameter in operation["parameters"]:
        if parameter["in"] == "query":
            value = values[parameter["schema"]["type"]]
            assert client.ingest(table, '{"id": 1}', query=f"?{parameter['name']}={value}").status == 200
    headers = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"}
    assert headers == {"Idempotency-Key", "Content-Encoding"}
    assert client.ingest(table, "[]", JSON).status == 200
