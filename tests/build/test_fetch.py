"""scripts/fetch: whole or absent, and a message for each thing that cannot be had.

Registries are stood in for by pip's own offline index (a directory of wheels) and by a port that nobody listens on; the
clients are the real ones.
"""

import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

VERSION = "1.5.5"
WHEEL = f"duckdb_extension_sample-{VERSION}-py3-none-any.whl"
METADATA = f"duckdb_extension_sample-{VERSION}.dist-info"


def make_wheel(directory: Path) -> str:
    """A wheel as the extensions come in; its SHA-256."""
    directory.mkdir()
    with zipfile.ZipFile(directory / WHEEL, "w") as wheel:
        wheel.writestr(f"duckdb_extension_sample/extensions/v{VERSION}/sample.duckdb_extension", b"signed")
        wheel.writestr(f"{METADATA}/METADATA", f"Metadata-Version: 2.1\nName: duckdb-extension-sample\nVersion: {VERSION}\n")
        wheel.writestr(f"{METADATA}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{METADATA}/RECORD", "")
    return hashlib.sha256((directory / WHEEL).read_bytes()).hexdigest()


class Fetch:
    """scripts/fetch on an empty cache, with an index that holds one wheel."""

    def __init__(self, repository: Path, directory: Path):
        self.script = repository / "scripts" / "fetch"
        self.index = directory / "index"
        self.cache = directory / "cache"
        self.sha256 = make_wheel(self.index)
        self.environment = dict(os.environ) | {
            "BOATHOUSE_CACHE": str(self.cache), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.index)}

    def pin(self, sha256: str | None = None) -> str:
        return f"wheel|duckdb-extension-sample|{VERSION}|{WHEEL}|{sha256 or self.sha256}"

    def run(self, *pins: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.script, "sample", *(pins or [self.pin()])], capture_output=True, text=True,
                              env=self.environment | environment)

    @property
    def extension(self) -> Path:
        return self.cache / "sample" / "extensions" / f"v{VERSION}" / "linux_amd64" / "sample.duckdb_extension"


@pytest.fixture
def fetch(repository, tmp_path):
    return Fetch(repository, tmp_path)


def test_unpacks_a_prefix_and_prints_it(fetch):
    done = fetch.run()
    assert (done.returncode, done.stdout) == (0, f"{fetch.cache}/sample\n")
    assert fetch.extension.read_bytes() == b"signed"


def test_a_second_run_asks_nobody(fetch):
    fetch.run()
    shutil.rmtree(fetch.index)
    done = fetch.run(PATH="/usr/bin:/bin", PIP_FIND_LINKS="/nonexistent")
    assert (done.returncode, done.stderr) == (0, "")


def test_goes_on_from_what_is_downloaded(fetch):
    downloads = fetch.cache / "downloads"
    downloads.mkdir(parents=True)
    shutil.move(fetch.index / WHEEL, downloads / WHEEL)
    (downloads / ".fetch-killed").mkdir()
    assert fetch.run().returncode == 0
    assert fetch.extension.exists()
    assert [path.name for path in downloads.iterdir()] == [WHEEL]


def test_a_damaged_download_is_fetched_again(fetch):
    downloads = fetch.cache / "downloads"
    downloads.mkdir(parents=True)
    (downloads / WHEEL).write_bytes(b"half a file")
    assert fetch.run().returncode == 0
    assert fetch.extension.exists()


def test_what_is_not_as_pinned_is_refused(fetch):
    done = fetch.run(fetch.pin(sha256="0" * 64))
    assert done.returncode == 1
    assert f"is not what was pinned: {WHEEL} has sha256 {fetch.sha256}, expected {'0' * 64}" in done.stderr
    assert not (fetch.cache / "sample").exists()
    assert not (fetch.cache / "downloads" / WHEEL).exists()


def test_a_new_pin_replaces_the_prefix(fetch):
    fetch.run()
    stale = fetch.cache / "sample" / "lib" / "stale.so"
    stale.touch()
    (fetch.cache / "sample" / ".pins").write_text("an older pin")
    assert fetch.run().returncode == 0
    assert fetch.extension.exists()
    assert not stale.exists()


def test_without_a_network_says_what_to_do(fetch):
    (fetch.index / WHEEL).unlink()
    done = fetch.run()
    assert done.returncode == 1
    assert "could not be had from its registry (wheel)" in done.stderr
    assert f"copy {WHEEL} (sha256 {fetch.sha256}) into {fetch.cache}/downloads, or set DUCKDB_ROOT" in done.stderr


def test_without_npm_names_the_package(fetch, tmp_path):
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in ("bash", "env", "sh", "id", "mkdir", "flock", "rm", "dirname", "sha256sum", "cut", "mktemp"):
        (commands / name).symlink_to(shutil.which(name))
    done = fetch.run("npm|@duckdb/sample|1|sample.tgz|" + "0" * 64, PATH=str(commands))
    assert done.returncode == 1
    assert "npm is needed to fetch @duckdb/sample: install the package 'npm'" in done.stderr


def test_an_unwritable_cache_is_named(fetch):
    done = fetch.run(BOATHOUSE_CACHE="/proc/cache")
    assert done.returncode == 1
    assert "cannot write to the cache /proc/cache: name another directory in BOATHOUSE_CACHE" in done.stderr


def test_runs_that_meet_take_turns(fetch):
    runs = [subprocess.Popen([fetch.script, "sample", fetch.pin()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             text=True, env=fetch.environment) for _ in range(3)]
    assert [run.communicate()[0] for run in runs] == [f"{fetch.cache}/sample\n"] * 3
    assert fetch.extension.exists()
