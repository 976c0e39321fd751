"""Requests to /v1/… of one user, by the standard library's client."""

import base64
import http.client
import io
import json
from dataclasses import dataclass

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

NDJSON, CSV, JSON, SQL = "application/x-ndjson", "text/csv", "application/json", "application/sql"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """Requests of one user; each on a connection of its own, unless one is given."""

    def __init__(self, box, user=None, password=None):
        self.box, self.user, self.password = box, user or box.user, password or box.password

    @property
    def authorization(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def request(self, method, path, body=b"", headers=None) -> Answer:
        connection = http.client.HTTPConnection(self.box.host, self.box.http_port, timeout=120)
        try:
            connection.request(method, path, body=body, headers={"Authorization": self.authorization} | (headers or {}))
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def sql(self, text, accept=JSON, **headers) -> Answer:
        return self.request("POST", "/v1/sql", text.encode(), {"Content-Type": SQL, "Accept": accept} | headers)

    def rows(self, text):
        """The rows of a query, as dicts."""
        answer = self.sql(text)
        assert answer.status == 200, answer
        return answer.json

    def ingest(self, table, body, content_type=NDJSON, query="", **headers) -> Answer:
        if isinstance(body, str):
            body = body.encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", f"/v1/tables/{table}/rows{query}", body, {"Content-Type": content_type} | headers)


def arrow(**columns):
    """The bytes of an Arrow stream."""
    out = io.BytesIO()
    table = pyarrow.table(columns)
    with pyarrow.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def parquet(**columns):
    """The bytes of a Parquet file."""
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()
