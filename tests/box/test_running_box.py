"""What asks a running box from another shell: status, attach-string, the text that serve prints."""

import json
import os
import stat

import duckdb
import pytest

UNAVAILABLE = 69
ODD_PASSWORD = "it's a \\ \"word\" = with; everything $HOME %41"


def rows(duckdb_home, statement, query):
    """The rows of `query` for a DuckDB client that ran `statement`, as attach-string printed it."""
    with duckdb.connect() as client:
        client.execute(f"SET extension_directory = '{duckdb_home}/.duckdb/extensions'")
        client.execute("INSTALL ducklake; LOAD ducklake")
        client.execute(statement)
        return client.execute(query).fetchall()


@pytest.fixture(scope="module")
def odd_box(boathouse):
    """A box that was given a password which needs every kind of quoting."""
    from box_process import Box
    box = Box(boathouse, settings={"POSTGRES_PASSWORD": ODD_PASSWORD, "POSTGRES_USER": "o'neil"})
    try:
        yield box.start()
    finally:
        box.discard()


def test_status_of_a_ready_box(run, box):
    outcome = run("status", "--data-dir", str(box.data_dir), "--json")
    assert outcome.code == 0, outcome.errors
    status = json.loads(outcome.output)
    assert (status["phase"], status["ready"], status["pid"]) == ("ready", True, box.pid)
    assert status["readyz"]["reasons"] == []
    assert (status["catalog_port"], status["http_port"]) == (box.catalog_port, box.http_port)
    text = run("status", "--data-dir", str(box.data_dir)).output
    assert f"PostgreSQL  process {status['postgres']['pid']}" in text
    for door, port in (("catalog", box.catalog_port), ("SQL", box.sql_port), ("HTTP", box.http_port)):
        assert f"\n{door:<12}127.0.0.1 port {port}\n" in text


def test_status_where_no_box_has_run(run, tmp_path):
    outcome = run("status", "--data-dir", str(tmp_path / "none"))
    assert outcome.code == UNAVAILABLE
    assert f"no box has run on the data directory {tmp_path}/none" in outcome.errors
    assert json.loads(run("status", "--data-dir", str(tmp_path / "none"), "--json").output)["phase"] == "stopped"


def test_status_after_the_box_has_stopped(run, new_box):
    box = new_box()
    assert box.stop() == 0
    outcome = run("status", "--data-dir", str(box.data_dir), "--json")
    assert outcome.code == UNAVAILABLE
    status = json.loads(outcome.output)
    assert (status["phase"], status["ready"], status["pid"]) == ("stopped", False, 0)


def test_attach_string_works_as_it_is(run, odd_box, duckdb_home):
    outcome = run("attach-string", "--data-dir", str(odd_box.data_dir), "--show-password",
                  POSTGRES_PASSWORD=ODD_PASSWORD)
    assert outcome.code == 0, outcome.errors
    assert rows(duckdb_home, outcome.output, "SELECT count(*) FROM ducklake_snapshots('lake')") == [(1,)]


def test_attach_string_without_the_password_takes_it_from_the_environment(run, odd_box, duckdb_home, monkeypatch):
    outcome = run("attach-string", "--data-dir", str(odd_box.data_dir), POSTGRES_PASSWORD=ODD_PASSWORD)
    assert "password" not in outcome.output
    monkeypatch.setenv("PGPASSWORD", ODD_PASSWORD)
    assert rows(duckdb_home, outcome.output, "SELECT count(*) FROM ducklake_snapshots('lake')") == [(1,)]


def test_attach_string_says_when_it_does_not_know_the_password(run, box):
    outcome = run("attach-string", "--data-dir", str(box.data_dir), "--show-password")
    assert outcome.code == 1
    assert "the password is not known here" in outcome.errors
    assert outcome.output == ""


def test_a_generated_password_is_kept_private_and_shown_once(run, new_box, duckdb_home):
    box = new_box(settings={"POSTGRES_PASSWORD": ""})
    file = box.data_dir / "secrets" / "postgres_password"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    password = file.read_text().strip()
    assert f" password={password} " in box.output()
    assert password not in box.log()
    statement = run("attach-string", "--data-dir", str(box.data_dir), "--show-password").output
    assert statement.strip() in box.output()
    assert rows(duckdb_home, statement, "SELECT count(*) FROM ducklake_snapshots('lake')") == [(1,)]
    box.restart()
    assert "Boathouse is ready" in box.output()
    assert password not in box.output() + box.log()
