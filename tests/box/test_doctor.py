"""`boathouse doctor`: what it finds on a healthy box, and on the troubles that people have."""

import contextlib
import json
import threading
import time

import psutil
import psycopg
import pytest


def doctor(run, *arguments, **environment):
    outcome = run("doctor", "--json", *arguments, **environment)
    findings = {}
    for finding in json.loads(outcome.output)["findings"]:
        findings.setdefault(finding["check"], []).append(finding)
    return outcome, findings


def as_client(run, box, *arguments, password=None, **environment):
    return doctor(run, "--host", box.host, "--port", str(box.catalog_port), "--user", box.user, "--database",
                  box.database, *arguments, PGPASSWORD=password or box.password, **environment)


def levels(findings, check):
    return [finding["level"] for finding in findings[check]]


def until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def test_a_healthy_box_on_its_own_machine(run, box):
    outcome, findings = doctor(run, "--data-dir", str(box.data_dir), POSTGRES_PASSWORD=box.password)
    assert outcome.code == 0, outcome.output
    for check in ["box", "port", "password", "tls", "lake", "entries", "postgresql", "clock", "locks", "extensions", "data path",
                  "attach", "http"]:
        assert levels(findings, check) == ["ok"], findings[check]
    assert "failure" not in outcome.output
    assert box.password not in outcome.output + outcome.errors


def test_a_healthy_box_as_a_client_sees_it(run, box):
    outcome, findings = as_client(run, box, "--http-port", str(box.http_port))
    assert outcome.code == 0, outcome.output
    assert levels(findings, "attach") == levels(findings, "http") == ["ok"]
    assert "box" not in findings and "disk" not in findings


def test_an_http_door_that_is_closed_to_this_machine(run, box, free_port):
    outcome, findings = as_client(run, box, "--http-port", str(free_port()))
    assert outcome.code == 0, outcome.output
    assert levels(findings, "http") == ["warning"]
    assert "Connection refused" in findings["http"][0]["message"] and "--http-port" in findings["http"][0]["hint"]


def test_a_box_that_is_not_ready_says_why(run, new_box):
    box = new_box()
    box.expect("not ready|postgres: |PostgreSQL|http: |engine: |gateway: ")
    psutil.Process(box.pid).suspend()  # so that it does not start PostgreSQL again
    try:
        box.child("postgres").kill()
        until(lambda: not box.is_ready())
        outcome, findings = doctor(run, "--data-dir", str(box.data_dir), POSTGRES_PASSWORD=box.password)
    finally:
        psutil.Process(box.pid).resume()
    assert outcome.code == 1
    assert levels(findings, "http") == ["failure"]
    assert "not ready: the catalog's PostgreSQL does not answer" in findings["http"][0]["message"]
    box.wait_ready()


REFUSALS = "password authentication failed|Connection matched"  # what PostgreSQL logs of a wrong password


def test_people_get_lines_with_what_to_do(run, box):
    box.expect(REFUSALS)
    outcome = run("doctor", "--host", box.host, "--port", str(box.catalog_port), PGPASSWORD="wrong")
    assert outcome.code == 1
    line = next(line for line in outcome.output.splitlines() if line.startswith("failure"))
    assert "password" in line
    assert "attach-string" in outcome.output


def test_port_closed(run, free_port):
    port = free_port()
    outcome, findings = doctor(run, "--host", "127.0.0.1", "--port", str(port), PGPASSWORD="x")
    assert outcome.code == 1
    assert "connection refused" in findings["port"][0]["message"] and str(port) in findings["port"][0]["message"]
    assert levels(findings, "password") == ["skipped"]


def test_unknown_host(run):
    outcome, findings = doctor(run, "--host", "no-such-host.invalid", PGPASSWORD="x")
    assert outcome.code == 1
    assert "no-such-host.invalid" in findings["port"][0]["message"]


def test_wrong_password(run, box):
    box.expect(REFUSALS)
    outcome, findings = as_client(run, box, password="not-the-password")
    assert outcome.code == 1
    assert levels(findings, "password") == ["failure"]
    assert "wrong or missing" in findings["password"][0]["message"]
    assert "not-the-password" not in outcome.output + outcome.errors


def test_unknown_database(run, box):
    box.expect('database "nowhere" does not exist')
    outcome, findings = doctor(run, "--host", box.host, "--port", str(box.catalog_port), "--database", "nowhere",
                               PGPASSWORD=box.password)
    assert outcome.code == 1
    assert "nowhere" in findings["password"][0]["message"] and "--database" in findings["password"][0]["hint"]


def test_a_session_left_in_a_transaction_is_not_blamed_at_once(run, box):
    with psycopg.connect(box.dsn) as session:
        session.execute("SELECT count(*) FROM public.ducklake_snapshot")
        _, findings = as_client(run, box)
        assert levels(findings, "locks") == ["ok"]


def test_a_session_that_others_wait_for_is_named(run, box):
    take = "SELECT pg_advisory_xact_lock(20260101)"
    waiting = threading.Thread(target=lambda: psycopg.connect(box.dsn).execute(take))
    with contextlib.closing(psycopg.connect(box.dsn)) as idle, psycopg.connect(box.dsn, autocommit=True) as witness:
        idle.execute(take)
        waiting.start()
        until(lambda: levels(as_client(run, box)[1], "locks") == ["warning"])
        finding, = as_client(run, box)[1]["locks"]
        assert f"session {idle.info.backend_pid} of admin" in finding["message"]
        assert "; 1 others wait for it" in finding["message"]
        assert finding["hint"].endswith(f"SELECT pg_terminate_backend({idle.info.backend_pid});")
        witness.execute("SELECT pg_terminate_backend(%s)", [idle.info.backend_pid])
    waiting.join()
    _, findings = as_client(run, box)
    assert levels(findings, "locks") == ["ok"]


IN_A_SCHEMA = {"table": "CREATE TABLE gone.x (a int)", "view": "CREATE VIEW gone.x AS SELECT 1 AS a",
               "macro": "CREATE MACRO gone.x(a) AS a + 1"}
# What a client leaves that drops the schema while another makes something in it.
DROP_THE_SCHEMA_ALONE = """
    WITH made AS (INSERT INTO ducklake_snapshot
                  SELECT snapshot_id + 1, now(), schema_version + 1, next_catalog_id, next_file_id
                    FROM ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1 RETURNING snapshot_id),
         changed AS (INSERT INTO ducklake_snapshot_changes SELECT snapshot_id, 'dropped_schema:0' FROM made)
    UPDATE ducklake_schema SET end_snapshot = snapshot_id FROM made WHERE schema_name = 'gone' AND end_snapshot IS NULL"""


def test_what_is_in_a_schema_that_is_gone_is_named_and_ended(run, new_box):
    box = new_box()
    box.expect("Failed to load DuckLake")
    door = psycopg.connect(f"host={box.host} port={box.sql_port} user={box.user} password={box.password} dbname=lake",
                           autocommit=True)
    with door, psycopg.connect(box.dsn, autocommit=True) as catalog:
        for kind, make in IN_A_SCHEMA.items():
            door.execute("CREATE SCHEMA gone")
            door.execute(make)
            catalog.execute(DROP_THE_SCHEMA_ALONE)
            with pytest.raises(psycopg.Error, match="Failed to load DuckLake"):
                door.execute("CREATE SCHEMA other")
            until(lambda: not box.is_ready())
            assert "Failed to load DuckLake" in box.http("/readyz")[1]
            outcome, findings = as_client(run, box)
            assert outcome.code == 1
            finding, = findings["entries"]
            assert f"the {kind} x is in a schema that is gone" in finding["message"]
            catalog.execute(finding["hint"].partition("port: ")[2])
            assert levels(as_client(run, box)[1], "entries") == ["ok"]
            until(box.is_ready)
            door.execute("CREATE SCHEMA other")
            door.execute("DROP SCHEMA other")


def test_a_catalog_that_speaks_no_tls_is_a_warning(run, new_box):
    box = new_box(settings={"BOATHOUSE_TLS": "off"})
    outcome, findings = as_client(run, box)
    assert outcome.code == 0
    assert levels(findings, "tls") == ["warning"]


def test_a_data_directory_without_a_box(run, tmp_path, free_port):
    outcome, findings = doctor(run, "--data-dir", str(tmp_path / "none"), "--catalog-port", str(free_port()),
                               POSTGRES_PASSWORD="x")
    assert outcome.code == 1
    assert levels(findings, "box") == ["note"] and levels(findings, "port") == ["failure"]


@pytest.mark.parametrize("change, word", [({"AWS_SECRET_ACCESS_KEY": "wrong-secret-0123456789"}, "secret"),
                                          ({"S3_ENDPOINT": "127.0.0.1:1"}, "cannot be reached")])
def test_a_client_that_cannot_reach_the_store(run, box_s3, s3, change, word):
    settings = {name: value for name, value in s3.box_settings("shared").items() if name != "S3_BUCKET_URL"}
    outcome, findings = as_client(run, box_s3, **settings)
    assert outcome.code == 0, outcome.output
    outcome, findings = as_client(run, box_s3, **(settings | change))
    assert outcome.code == 1
    assert word in findings["data path"][0]["message"]
    assert levels(findings, "password") == ["ok"]
