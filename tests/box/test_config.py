"""Configuration through the real program: precedence, complaints, secrets. Nothing here starts a box.

`serve` is asked with configurations that it must refuse; `config show` with those that it must understand. The rules one
by one are tested beside the code, in src/config/load_test.cpp.
"""

import json

import pytest

CONFIGURATION = 78
SECRET = "hunter2-hunter2"


def settings(outcome):
    return json.loads(outcome.output)


def test_defaults(run):
    outcome = run("config", "show", "--json")
    assert outcome.code == 0, outcome.errors
    shown = settings(outcome)
    assert shown["listen"] == {"value": "127.0.0.1", "origin": "default", "secret": False}
    assert [shown[door]["value"] for door in ("catalog_port", "sql_port", "http_port")] == ["5432", "5433", "8080"]
    assert shown["lake_compression"]["value"] == "zstd"


def test_flag_before_environment_before_file_before_default(run, tmp_path):
    file = tmp_path / "boathouse.toml"
    file.write_text('sql_port = 1001\nhttp_port = 1002\ncatalog_port = 1003\n')
    shown = settings(run("config", "show", "--json", "--config", str(file), "--catalog-port", "3003",
                         BOATHOUSE_HTTP_PORT="2002", BOATHOUSE_CATALOG_PORT="2003"))
    assert (shown["sql_port"]["value"], shown["sql_port"]["origin"]) == ("1001", f"{file}:1")
    assert (shown["http_port"]["value"], shown["http_port"]["origin"]) == ("2002", "environment BOATHOUSE_HTTP_PORT")
    assert (shown["catalog_port"]["value"], shown["catalog_port"]["origin"]) == ("3003", "flag --catalog-port")


def test_missing_values_are_listed_in_one_message(run):
    outcome = run("serve", "--listen", "0.0.0.0", S3_BUCKET_URL="s3://bucket/prefix/")
    assert outcome.code == CONFIGURATION
    assert "Missing required configuration: POSTGRES_PASSWORD, AWS_REGION\n" in outcome.errors
    assert outcome.output == ""


def test_a_refused_configuration_starts_nothing(run, tmp_path):
    outcome = run("serve", "--data-dir", str(tmp_path / "data"), "--listen", "0.0.0.0")
    assert outcome.code == CONFIGURATION
    assert not (tmp_path / "data").exists()


def test_everything_that_is_wrong_is_told_at_once(run, tmp_path):
    file = tmp_path / "boathouse.toml"
    file.write_text('listen = "127.0.0.1"\ncatalog_prot = 5432\n')
    outcome = run("serve", "--config", str(file), "--sql-port", "99999", POSTGRES_DB="postgres",
                  DATA_PATH="/srv/lake", S3_BUCKET_URL="s3://bucket/")
    assert outcome.code == CONFIGURATION
    for part in (f"{file}:2: unknown key catalog_prot (did you mean catalog_port?)",
                 "sql_port (flag --sql-port): '99999' is not between 1 and 65535",
                 "postgres_db (environment POSTGRES_DB): 'postgres'",
                 "s3_bucket_url (environment S3_BUCKET_URL) is s3://bucket/"):
        assert part in outcome.errors


def test_malformed_toml_is_told_by_file_and_line(run, tmp_path):
    file = tmp_path / "boathouse.toml"
    file.write_text('listen = "127.0.0.1"\n\nsql_port = [\n')
    outcome = run("serve", "--config", str(file))
    assert outcome.code == CONFIGURATION
    assert f"{file}:" in outcome.errors
    assert "terminate called" not in outcome.errors


def test_a_config_file_that_is_named_must_be_there(run, tmp_path):
    outcome = run("serve", BOATHOUSE_CONFIG=str(tmp_path / "none.toml"))
    assert outcome.code == CONFIGURATION
    assert f"{tmp_path}/none.toml cannot be read: No such file or directory" in outcome.errors


def test_a_secret_in_a_file_that_others_may_read_is_refused(run, tmp_path):
    file = tmp_path / "boathouse.toml"
    file.write_text(f'postgres_password = "{SECRET}"\n')
    file.chmod(0o644)
    outcome = run("serve", "--config", str(file))
    assert outcome.code == CONFIGURATION
    assert f"chmod 600 {file}" in outcome.errors
    assert SECRET not in outcome.errors
    file.chmod(0o600)
    assert run("config", "show", "--config", str(file)).code == 0


@pytest.mark.parametrize("variable", ["POSTGRES_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                                      "AWS_SESSION_TOKEN"])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_secrets_are_masked(run, variable, form):
    outcome = run("config", "show", *form, **{variable: SECRET})
    assert outcome.code == 0
    assert SECRET not in outcome.output + outcome.errors
    assert f"environment {variable}" in outcome.output


def test_a_catalog_is_masked_only_when_it_holds_a_password(run):
    open_url = "postgresql://owner@db.example.com/lakehouse"
    assert settings(run("config", "show", "--json", "--catalog", open_url))["catalog"]["value"] == open_url
    outcome = run("config", "show", BOATHOUSE_CATALOG=f"postgresql://owner:{SECRET}@db.example.com/lakehouse")
    assert outcome.code == 0
    assert SECRET not in outcome.output + outcome.errors


def test_a_catalogs_password_is_refused_on_the_command_line(run):
    outcome = run("serve", "--catalog", f"postgresql://owner:{SECRET}@db.example.com/lakehouse")
    assert outcome.code == CONFIGURATION
    assert "process list" in outcome.errors and "BOATHOUSE_CATALOG" in outcome.errors
    assert SECRET not in outcome.errors


def test_the_password_may_come_from_a_file_but_not_twice(run, tmp_path):
    file = tmp_path / "password"
    file.write_text(SECRET + "\n")
    assert run("config", "show", "--listen", "0.0.0.0", POSTGRES_PASSWORD_FILE=str(file)).code == 0
    outcome = run("serve", POSTGRES_PASSWORD_FILE=str(file), POSTGRES_PASSWORD=SECRET)
    assert outcome.code == CONFIGURATION
    assert "leave out one of the two" in outcome.errors
    assert SECRET not in outcome.errors
    file.write_text("")
    outcome = run("serve", POSTGRES_PASSWORD_FILE=str(file))
    assert outcome.code == CONFIGURATION
    assert f"{file} is empty" in outcome.errors


def test_a_mistyped_variable_is_warned_of(run):
    outcome = run("config", "show", BOATHOUSE_SQL_PROT="1", BOATHOUSE_SERVICE_HOST="10.0.0.1")
    assert outcome.code == 0
    assert "BOATHOUSE_SQL_PROT means nothing to Boathouse (did you mean BOATHOUSE_SQL_PORT?)" in outcome.errors
    assert "BOATHOUSE_SERVICE_HOST" not in outcome.errors


def test_a_wrong_configuration_is_shown_all_the_same(run):
    outcome = run("config", "show", "--listen", "0.0.0.0")
    assert outcome.code == CONFIGURATION
    assert "flag --listen" in outcome.output
    assert "Missing required configuration: POSTGRES_PASSWORD\n" in outcome.errors


def test_the_reference_page_is_the_programs_own(run, repository):
    page = run("config", "docs").output
    assert page == (repository / "docs" / "config.md").read_text(), \
        "run `boathouse config docs > docs/config.md`"
