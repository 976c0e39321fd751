"""`boathouse user`: what it does holds on the catalog's door at once, and what would break the box is refused."""

import json
import subprocess

import psycopg
import pytest


def user(box, *arguments, text: str | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([box.binary, "user", arguments[0], "--data-dir", box.data_dir, *arguments[1:]], input=text or "",
                          env=box.environment, capture_output=True, text=True, timeout=240)


def enter(box, name: str, password: str) -> psycopg.Connection:
    return psycopg.connect(host=box.host, port=box.catalog_port, user=name, password=password, dbname=box.database)


def listed(box) -> dict[str, str]:
    return {entry["name"]: entry["role"] for entry in json.loads(user(box, "list", "--json").stdout)}


def test_a_user_from_its_making_to_its_end(box, tmp_path):
    box.expect("ana@lakehouse (FATAL|DETAIL): .*(password authentication failed|pg_hba)")
    (tmp_path / "password").write_text("from a file\n")
    added = user(box, "add", "ana", "--role", "reader", "--password-file", str(tmp_path / "password"))
    assert added.returncode == 0, added.stderr
    with enter(box, "ana", "from a file") as connection:
        assert connection.execute("SELECT count(*) > 0 FROM ducklake_snapshot").fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM ducklake_snapshot")
    assert listed(box) | {"ana": "reader", box.user: "admin"} == listed(box)
    assert "ana" in user(box, "list").stdout

    changed = user(box, "password", "ana")
    assert changed.returncode == 0, changed.stderr
    generated = changed.stdout.strip()
    assert len(generated) >= 20 and generated not in changed.stderr
    with pytest.raises(psycopg.OperationalError):
        enter(box, "ana", "from a file")
    with enter(box, "ana", generated):
        removed = user(box, "remove", "ana")
    assert removed.returncode == 0, removed.stderr
    assert "ana" not in listed(box)


def test_a_password_from_standard_input(box):
    assert user(box, "add", "ben", "--password-file", "-", text="typed\n").returncode == 0
    with enter(box, "ben", "typed") as connection:
        assert connection.execute("SELECT pg_has_role('lake_writer', 'MEMBER')").fetchone() == (True,)
    assert user(box, "remove", "ben").returncode == 0


@pytest.mark.parametrize(("arguments", "code", "says"), [
    (("add", "admin"), 1, 'a role "admin" already'),
    (("add", "lake_reader"), 78, "may not be called"),
    (("add", "eve", "--role", "owner"), 2, "not in {reader,writer,admin,none}"),
    (("add", "eve", "--password-file", "/nonexistent"), 1, "/nonexistent"),
    (("remove", "admin"), 1, "owns the lake's database"),
    (("remove", "nobody"), 1, 'no user "nobody"'),
    (("password", "boathouse"), 1, 'no user "boathouse"'),
])
def test_refusals_say_why(box, arguments, code, says):
    refused = user(box, *arguments)
    assert (refused.returncode, says in refused.stderr) == (code, True), refused.stderr
    assert refused.stdout == ""


def test_without_a_box(box, tmp_path):
    box_elsewhere = subprocess.run([box.binary, "user", "list", "--data-dir", tmp_path], env=box.environment,
                                   capture_output=True, text=True, timeout=240)
    assert box_elsewhere.returncode == 69
    assert "no box answers" in box_elsewhere.stderr and "boathouse serve" in box_elsewhere.stderr
