"""`boathouse token`: what it makes, what a token opens, and what ends it."""

import json
import re
import subprocess

import psycopg
import pytest
from http_client import SQL

HEX_LETTERS = 64


@pytest.fixture
def token(box, boathouse, door):
    """A function that runs `boathouse token …`; what it made is revoked after the test."""
    before = {row["name"] for row in run_token(boathouse, box, "list", "--json", as_json=True)}

    def run(*arguments, fails=False, as_json=False):
        return run_token(boathouse, box, *arguments, fails=fails, as_json=as_json)

    yield run
    for row in run("list", "--json", as_json=True):
        if row["name"] not in before:
            run("revoke", row["name"])


def run_token(boathouse, box, *arguments, fails=False, as_json=False):
    done = subprocess.run([boathouse, "token", *arguments, "--data-dir", box.data_dir], env=box.environment,
                          capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, done
    if fails:
        return done.stderr
    return json.loads(done.stdout) if as_json else done.stdout.strip()


def ask(client, token, sql="SELECT current_user AS me", scheme="Bearer"):
    return client.request("POST", "/v1/sql", sql.encode(), {"Content-Type": SQL, "Authorization": f"{scheme} {token}"})


def test_a_token_stands_for_its_user(box, client, new_user, new_table, token):
    table = new_table("id int")
    user = new_user(box, f"GRANT SELECT ON {table} TO {{}}").user
    made = token("create", "reporting", "--user", user)
    assert re.fullmatch(r"boathouse_[0-9a-f]{64}", made)
    assert ask(client, made).json == [{"me": user}]
    assert ask(client, made, scheme="bearer").json == [{"me": user}]
    assert ask(client, made, f"SELECT * FROM {table}").status == 200
    refused = ask(client, made, f"INSERT INTO {table} VALUES (1)")
    assert (refused.status, refused.json["code"]) == (403, "42501")
    headers = {"Authorization": f"Bearer {made}"}
    assert client.ingest(table, '{"id": 1}', **headers).status == 403


def test_rows_by_token(box, client, new_user, new_table, token):
    table = new_table("id int")
    user = new_user(box, f"GRANT INSERT ON {table} TO {{}}").user
    made = token("create", "shipper", "--user", user, "--json", as_json=True)
    assert (made["name"], made["user"]) == ("shipper", user)
    answer = client.ingest(table, '{"id": 7}', Authorization=f"Bearer {made['token']}", Idempotency_Key="by token")
    assert (answer.status, answer.json["rows"]) == (200, 1)
    assert client.rows(f"SELECT id FROM {table}") == [{"id": 7}]


def test_a_revoked_token_is_refused_at_once(box, client, token):
    box.expect("a token from 127.0.0.1 refused")
    made = token("create", "short-lived", "--user", box.user)
    assert ask(client, made).status == 200
    token("revoke", "short-lived")
    refused = ask(client, made)
    assert (refused.status, refused.json["code"]) == (401, "28P01")
    assert "Bearer" in refused.headers["WWW-Authenticate"]
    assert 'no token "short-lived"' in token("revoke", "short-lived", fails=True)


def test_an_expired_token_is_refused(box, client, token):
    box.expect('token "brief" of "admin" from 127.0.0.1 refused')
    made = token("create", "brief", "--user", box.user, "--expires-in", "0.001 seconds")
    assert ask(client, made).status == 401
    lasting = token("create", "lasting", "--user", box.user, "--expires-in", "1 hour")
    assert ask(client, lasting).status == 200
    listed = {row["name"]: row for row in token("list", "--json", as_json=True)}
    assert not listed["brief"]["alive"] and listed["lasting"]["alive"]
    assert listed["lasting"]["expires_at"] > listed["lasting"]["created_at"]


@pytest.mark.parametrize("ends", ["ALTER ROLE {} NOLOGIN", "ALTER ROLE {} VALID UNTIL '2001-01-01'",
                                  "REVOKE CONNECT ON DATABASE lake FROM {}", "ALTER ROLE {0} RENAME TO {0}_renamed"])
def test_a_token_ends_with_its_role(box, client, new_user, token, ends):
    box.expect(r"token \"doomed\" of \"http_user_\d+\" from 127.0.0.1 refused|no CONNECT privilege")
    user = new_user(box).user
    made = token("create", "doomed", "--user", user)
    assert ask(client, made).status == 200
    with psycopg.connect(box.dsn, autocommit=True) as catalog:
        catalog.execute(ends.format(user))
    assert ask(client, made).status in (401, 403)


def test_a_role_that_is_made_anew_has_no_tokens(box, client, door, new_user, token):
    box.expect(r'token "inherited" of "http_user_\d+" from 127.0.0.1 refused')
    user = new_user(box).user
    made = token("create", "inherited", "--user", user)
    door.execute(f"REVOKE CONNECT ON DATABASE lake FROM {user}")
    door.execute(f"DROP ROLE {user}")
    assert ask(client, made).status == 401
    door.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'a-fine-password'")
    door.execute(f"GRANT CONNECT ON DATABASE lake TO {user}")
    assert ask(client, made).status == 401
    assert [row["alive"] for row in token("list", "--json", as_json=True) if row["name"] == "inherited"] == [False]


def test_wrong_tokens(box, client, token):
    """They are refused; a right one does not wait for them."""
    box.expect("a token from 127.0.0.1 refused")
    right = token("create", "right", "--user", box.user)
    for wrong in ("x", "boathouse_" + "0" * HEX_LETTERS, right[:-1]):
        assert ask(client, wrong).status == 401, wrong
        assert ask(client, right).status == 200
    assert ask(client, right, scheme="Token").status == 401


def test_no_token_lies_anywhere(box, client, token):
    """Not in the log, not in the catalog: a digest of it alone."""
    box.expect('token "secret" of "admin" from 127.0.0.1 refused')
    made = token("create", "secret", "--user", box.user, "--expires-in", "0.001 seconds")
    secret = made.removeprefix("boathouse_")
    assert ask(client, made).status == 401
    assert secret not in box.log()
    assert secret not in token("list")
    # Where PostgreSQL keeps it, and what it has logged for recovery.
    data = box.data_dir / "postgres"
    found = subprocess.run(["grep", "-r", "-l", "-a", secret, data], capture_output=True, text=True, check=False)
    assert found.stdout == ""


def test_refusals_of_the_command(box, token):
    token("create", "taken", "--user", box.user)
    assert 'a token "taken" already' in token("create", "taken", "--user", box.user, fails=True)
    assert 'no user "nobody-here"' in token("create", "other", "--user", "nobody-here", fails=True)
    assert "--expires-in is no time" in token("create", "other", "--user", box.user, "--expires-in", "soon", fails=True)
    assert "may log in" in token("create", "other", "--user", "lake_reader", fails=True)

