"""The command line through the real program: mistakes, help, completion in real shells, and what asks a running box."""

import json
import os
import subprocess

import pytest

USAGE, UNAVAILABLE = 2, 69
COMMANDS = ["serve", "status", "attach-string", "doctor", "config", "engine", "version", "completion", "help"]


def test_help_teaches_every_command_and_the_exit_codes(run):
    outcome = run("--help")
    assert outcome.code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in outcome.output
    assert "Examples:" in outcome.output and "Exit codes:" in outcome.output


@pytest.mark.parametrize("command", [["serve"], ["status"], ["attach-string"], ["config"], ["config", "show"],
                                     ["config", "docs"], ["engine"], ["version"], ["completion"], ["help"]])
def test_every_command_has_help(run, command):
    outcome = run(*command, "--help")
    assert outcome.code == 0
    assert f"Usage: boathouse {' '.join(command)} " in outcome.output
    assert run("help", *command).output == outcome.output


def test_help_of_serve_names_every_flag_of_the_reference(run, repository):
    text = run("serve", "--help").output
    flags = [line.split("`")[1] for line in (repository / "docs" / "config.md").read_text().splitlines()
             if line.startswith("- Flag: `")]
    assert len(flags) > 20
    assert [flag for flag in flags if f"  {flag} " not in text] == []


@pytest.mark.parametrize("arguments, said", [
    ([], "A subcommand is required"),
    (["sreve"], "unknown command 'sreve' (did you mean serve?)"),
    (["config", "shwo"], "unknown command 'shwo' (did you mean show?)"),
    (["help", "stauts"], "unknown command 'stauts' (did you mean status?)"),
    (["serve", "--catalog-prot", "5432"], "boathouse serve: unknown option --catalog-prot (did you mean --catalog-port?)"),
    (["serve", "--catalog-prot=5432"], "unknown option --catalog-prot (did you mean --catalog-port?)"),
    (["serve", "--zzz"], "unknown option --zzz"),
    (["serve", "--sql-port"], "--sql-port"),
    (["version", "now"], "takes no further argument"),
    (["completion", "tcsh"], "tcsh not in {bash,zsh,fish}"),
])
def test_a_mistake_is_named_with_what_was_meant(run, arguments, said):
    outcome = run(*arguments)
    assert outcome.code == USAGE
    assert said in outcome.errors
    assert outcome.output == ""


@pytest.mark.parametrize("arguments", [["--postgres-password", "hunter2"], ["--postgres-password=hunter2"]])
def test_a_secret_tried_as_a_flag_is_refused_and_not_repeated(run, arguments):
    outcome = run("serve", *arguments)
    assert outcome.code == USAGE
    assert "set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE in the environment" in outcome.errors
    assert "hunter2" not in outcome.errors


def test_version(run, repository):
    versions = json.loads(run("version", "--json").output)
    assert versions["ducklake_catalog"] == "1.0"
    assert f"BOATHOUSE_DUCKDB_VERSION {versions['duckdb']})" in (repository / "cmake" / "duckdb.cmake").read_text()
    assert run("version").output.splitlines() == [f"boathouse {versions['boathouse']}", f"DuckDB {versions['duckdb']}",
                                                  f"DuckLake catalog {versions['ducklake_catalog']}"]
    assert run("--version").output == run("-V").output == run("version").output


def test_the_supervisor_does_not_link_duckdb(boathouse):
    libraries = subprocess.run(["ldd", str(boathouse)], capture_output=True, text=True, check=True).stdout
    assert "libpq" in libraries and "duckdb" not in libraries


# ------------------------------------------------------------------ completion

# Types the line into bash's completion as readline does, and prints what it offers.
BASH = r"""
set -e
source <("$BOATHOUSE" completion bash)
compopt() { :; }  # needs a real key press
COMP_WORDS=($LINE)
[[ $LINE == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_boathouse
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("line, offered", [
    ("boathouse s", {"serve", "status"}),
    ("boathouse config ", {"show", "docs", "--help"}),
    ("boathouse serve --sql-p", {"--sql-port"}),
    ("boathouse serve --tls ", {"off", "on", "require"}),
    ("boathouse serve --tls = re", {"require"}),
    ("boathouse serve --data-dir config --catalog-p", {"--catalog-port"}),
    ("boathouse completion ", {"bash", "zsh", "fish", "--help"}),
    ("boathouse serve --data-dir inne", {"inner"}),
])
def test_bash_completes(boathouse, tmp_path, line, offered):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner-file").touch()
    done = subprocess.run(["bash", "-c", BASH], capture_output=True, text=True, timeout=240, cwd=tmp_path,
                          env={"PATH": os.environ["PATH"], "BOATHOUSE": str(boathouse), "LINE": line})
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == offered


@pytest.mark.parametrize("line, offered", [
    ("boathouse s", {"serve", "status"}),
    ("boathouse config ", {"show", "docs"}),
    ("boathouse serve --sql-p", {"--sql-port"}),
    ("boathouse serve --tls ", {"off", "on", "require"}),
    ("boathouse completion ", {"bash", "zsh", "fish"}),
])
def test_fish_completes(boathouse, tmp_path, line, offered):
    script = '$BOATHOUSE completion fish | source; complete --do-complete $LINE'
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, timeout=240, cwd=tmp_path,
                          env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "BOATHOUSE": str(boathouse),
                               "LINE": line})
    assert done.returncode == 0, done.stderr
    assert {candidate.split("\t")[0] for candidate in done.stdout.splitlines()} == offered


def test_zsh_takes_the_script(boathouse, tmp_path):
    script = 'autoload -U compinit; compinit -u -D; source <("$BOATHOUSE" completion zsh); print -r -- $_comps[boathouse]'
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, timeout=240, cwd=tmp_path,
                          env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "BOATHOUSE": str(boathouse)})
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "_boathouse", "")
