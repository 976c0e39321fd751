"""The HTTP door: health, readiness, metrics, the extension mirror, and clients that misbehave."""

import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import time

import duckdb
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

EXTENSIONS = ["ducklake", "postgres_scanner", "httpfs", "icu", "json"]


def request(box, method, path, headers=None, body=None):
    connection = http.client.HTTPConnection(box.host, box.http_port, timeout=60)
    try:
        connection.request(method, path, headers=headers or {}, body=body)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def samples(box):
    status, text = box.http("/metrics")
    assert status == 200
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text) for sample in family.samples}


def test_health_and_readiness(box):
    status, text = box.http("/healthz")
    assert status == 200 and json.loads(text)["duckdb_version"] == duckdb.__version__
    status, text = box.http("/readyz")
    assert status == 200
    assert json.loads(text)["ready"] is True and json.loads(text)["snapshot"] >= 0


def test_head_answers_like_get_without_a_body(box):
    status, headers, body = request(box, "HEAD", "/healthz")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0


def test_a_kept_connection_takes_many_requests(box):
    connection = http.client.HTTPConnection(box.host, box.http_port, timeout=60)
    for method, path, wanted in [("GET", "/healthz", 200), ("HEAD", "/readyz", 200), ("GET", "/nowhere", 404),
                                 ("GET", "/healthz", 200)]:
        connection.request(method, path)
        response = connection.getresponse()
        response.read()
        assert response.status == wanted
    connection.close()


def test_unknown_paths_and_methods_say_what_is_known(box):
    status, _, body = request(box, "GET", "/nowhere")
    assert status == 404
    assert "/nowhere" in json.loads(body)["error"] and "/readyz" in json.loads(body)["hint"]
    status, headers, body = request(box, "POST", "/readyz", body=b"{}")
    assert status == 405 and headers["Allow"] == "GET, HEAD"
    assert "POST" in json.loads(body)["error"]


@pytest.mark.parametrize("target", ["/extensions/../../etc/passwd", "/extensions/%2e%2e/%2e%2e/etc/passwd",
                                    "/extensions/v1.5.5/linux_amd64/../../../x.duckdb_extension.gz", "/extensions/"])
def test_the_mirror_leads_nowhere_else(box, target):
    status, _, body = request(box, "GET", target)
    assert status == 404 and "error" in json.loads(body)


def raw(box, data, wait_seconds=60):
    with socket.create_connection((box.host, box.http_port), timeout=wait_seconds) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


def test_what_is_not_http_is_refused(box):
    assert b" 400 " in raw(box, b"\x05\x01\x00 SOCKS?\r\n\r\n").split(b"\r\n")[0]
    assert box.http("/healthz")[0] == 200


def test_a_header_without_end_is_refused(box):
    answer = raw(box, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n")
    assert b" 431 " in answer.split(b"\r\n")[0]


def test_a_body_beyond_the_limit_is_refused(box):
    answer = raw(box, b"POST /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
    assert b" 413 " in answer.split(b"\r\n")[0]


def test_a_client_that_never_ends_its_request_is_cut_off(box):
    with socket.create_connection((box.host, box.http_port), timeout=120) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost")
        assert connection.recv(1) == b""
    assert box.http("/healthz")[0] == 200


def test_metrics_are_valid_and_follow_the_lake(box, duckdb_home):
    before = samples(box)
    assert before["boathouse_catalog_up", ()] == 1
    assert before["process_resident_memory_bytes", ()] > 1_000_000
    assert before["boathouse_restarts_total", (("process", "postgres"),)] == 0
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute("LOAD ducklake")
    client.execute(f"ATTACH '{box.attach_string}' AS lake")
    client.execute("CREATE TABLE lake.http_metrics AS SELECT range AS i FROM range(1000)")
    until(lambda: samples(box)["boathouse_lake_snapshot", ()] > before["boathouse_lake_snapshot", ()])
    after = samples(box)
    assert after["boathouse_lake_tables", ()] == before["boathouse_lake_tables", ()] + 1
    assert after["boathouse_lake_data_files", ()] >= before["boathouse_lake_data_files", ()] + 1
    assert after["boathouse_lake_data_bytes", ()] > before["boathouse_lake_data_bytes", ()]
    client.execute("DROP TABLE lake.http_metrics")


def test_metrics_have_help_and_type_for_every_family(box):
    _, text = box.http("/metrics")
    for family in text_string_to_metric_families(text):
        assert family.documentation and family.type in ("gauge", "counter"), family.name


INSTALL = """
import duckdb, sys
client = duckdb.connect()
for name in sys.argv[2:]:
    client.execute(f"INSTALL {name} FROM '{sys.argv[1]}/extensions'")
for name in sys.argv[2:]:
    client.execute(f"LOAD {name}")
print(client.execute("SELECT count(*) FROM duckdb_extensions() WHERE loaded AND install_mode = 'REPOSITORY'").fetchone()[0])
"""


def test_a_client_without_internet_installs_from_the_mirror(box, tmp_path):
    done = subprocess.run([sys.executable, "-c", INSTALL, box.http_url, *EXTENSIONS], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == str(len(EXTENSIONS))


def test_the_mirror_revalidates_and_gives_the_official_bytes(box, duckdb_prefix):
    path = f"/extensions/v{duckdb.__version__}/linux_amd64/ducklake.duckdb_extension"
    status, headers, body = request(box, "GET", path + ".gz")
    assert status == 200 and len(body) == int(headers["Content-Length"])
    official = duckdb_prefix / path.lstrip("/")
    assert gzip.decompress(body) == official.read_bytes()
    status, _, body = request(box, "GET", path + ".gz", headers={"If-None-Match": headers["ETag"]})
    assert (status, body) == (304, b"")


def test_the_private_socket_answers_the_box_s_user(box):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(box.data_dir / "run" / "http.sock"))
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n")
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 200")
    assert (box.data_dir / "run" / "http.sock").stat().st_mode & 0o077 == 0


def test_readiness_tells_the_truth_about_a_catalog_that_hangs_and_dies(new_box):
    box = new_box()
    box.expect("not ready")
    box.expect("postgres|PostgreSQL")
    postgres = box.child("postgres")
    postgres.suspend()  # first: from now on none of its children comes or goes
    children = postgres.children()
    for process in children:
        process.suspend()
    try:
        until(lambda: box.http("/readyz")[0] == 503)
        reasons = json.loads(box.http("/readyz")[1])["reasons"]
        assert reasons and "has not answered" in reasons[0]["message"]
        assert box.http("/healthz")[0] == 200
        assert samples(box)["boathouse_catalog_up", ()] == 0
    finally:
        for process in children:
            process.resume()
        postgres.resume()
    until(box.is_ready)
    # A supervisor that sleeps cannot start PostgreSQL again before the test has looked: that takes it 0.3 s.
    supervisor = psutil.Process(box.pid)
    supervisor.suspend()
    try:
        postgres.kill()
        until(lambda: not box.is_ready())
    finally:
        supervisor.resume()
    until(box.is_ready)
    assert samples(box)["boathouse_restarts_total", (("process", "postgres"),)] == 1
