"""A lake in S3 whose key is not among the settings: the AWS credential chain finds it.

The S3 server is real. What hands out a role's keys, the agent beside a container or the instance's metadata service,
exists in AWS alone: here a small server speaks their protocols, as the AWS SDK's documents describe them.
"""

import http.server
import json
import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

CONFIGURATION = 78
ROLE = "lake-keeper"


class RoleServer(http.server.ThreadingHTTPServer):
    """The container's agent and the instance's metadata service, version 2, in one."""

    def __init__(self, s3):
        super().__init__(("127.0.0.1", 0), Handler)
        expiration = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.key = {"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": s3.access_key_id, "Token": "",
                    "SecretAccessKey": s3.secret_access_key, "LastUpdated": expiration, "Expiration": expiration}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self) -> None:
        self.server.asked.append(self.path)
        roles = "/latest/meta-data/iam/security-credentials"
        answers = {"/role": json.dumps(self.server.key), "/latest/api/token": "a-session's-token", roles: ROLE,
                   f"{roles}/": ROLE, f"{roles}/{ROLE}": json.dumps(self.server.key)}
        body = answers.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = answer

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def role_server(s3):
    with RoleServer(s3) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def without_key(s3, prefix: str, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in s3.box_settings(prefix).items()
            if name not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    return kept | settings


@pytest.mark.parametrize("kind", ["container", "instance"])
def test_a_role_is_enough(new_box, s3, role_server, kind):
    way = ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{role_server.url}/role"} if kind == "container" else
           {"AWS_EC2_METADATA_SERVICE_ENDPOINT": role_server.url})
    box = new_box(settings=without_key(s3, f"by-{kind}", **way))
    assert role_server.asked
    with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                         autocommit=True) as door:
        door.execute("CREATE TABLE kept AS SELECT range AS i FROM range(1000)")
        assert door.execute("SELECT sum(i) FROM kept").fetchone() == (499500,)
    assert any(key.endswith(".parquet") for key in s3.keys(f"by-{kind}/"))
    assert s3.secret_access_key not in box.log()


def test_without_any_key_the_box_says_what_it_looked_for(new_box, s3):
    box = new_box(start=False, settings=without_key(s3, "by-nobody", AWS_EC2_METADATA_DISABLED="true"))
    box.expect(".")
    box.spawn()
    assert box.wait_exit() == CONFIGURATION
    assert "AWS_ACCESS_KEY_ID is not set and the AWS credential chain found none" in box.log()
