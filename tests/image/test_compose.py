"""compose.yaml: what it says is run, on this machine's network and on free ports instead of the composed ones.

The S3 server is the same program of the same version, from its package on PyPI, with the command, the environment and
the health check of the file; the box is the image, with the environment of the file.
"""

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import yaml

from loopback import free_port

VARIABLES = {"POSTGRES_PASSWORD": "correct-horse-battery", "S3_SECRET": "wJalrXUtnFEMI"}
HEALTHY_TIMEOUT_SECONDS = 120
S3_PORT = "8333"


@pytest.fixture(scope="module")
def services(repository) -> dict:
    """The services of compose.yaml, its variables filled in as `docker compose` does."""

    def value(match: re.Match) -> str:
        name, kind, rest = match.group(1), match.group(2), match.group(3)
        assert kind == "-" or name in VARIABLES, f"compose.yaml asks for {name}: {rest}"
        return VARIABLES.get(name, rest)

    text = (repository / "compose.yaml").read_text()
    return yaml.safe_load(re.sub(r"\$\{(\w+):([?-])([^}]*)\}", value, text))["services"]


@pytest.fixture(scope="module")
def s3_endpoint(services):
    """The S3 server of the file, healthy by the file's own check."""
    service = services["s3"]
    assert service["image"].split(":")[-1] in subprocess.check_output([weed(), "version"], text=True)
    port = str(free_port())
    directory = Path(tempfile.mkdtemp(prefix="boathouse-compose-"))
    others = [f"-{name}.port={free_port()}" for name in ("master", "filer", "volume", "admin")]
    command = shlex.split(service["command"].replace("/data", str(directory)).replace(S3_PORT, port))
    process = subprocess.Popen([weed(), *command, "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *others], cwd=directory,
                               env=service["environment"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    kind, *check = service["healthcheck"]["test"]
    assert kind == "CMD"
    try:
        deadline = time.monotonic() + HEALTHY_TIMEOUT_SECONDS
        while subprocess.run([word.replace(S3_PORT, port) for word in check]).returncode != 0:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory)


def weed() -> Path:
    return Path(sys.executable).with_name("weed")


def test_the_composed_box_keeps_its_lake_in_the_composed_bucket(services, s3_endpoint, run_box):
    settings = services["boathouse"]["environment"] | {"S3_ENDPOINT": s3_endpoint}
    assert settings["POSTGRES_PASSWORD"] == VARIABLES["POSTGRES_PASSWORD"]
    box = run_box(**settings)
    client = box.attach()
    # The secret that the head of the file tells direct clients to make.
    client.execute(f"CREATE SECRET (TYPE s3, KEY_ID 'boathouse', SECRET '{VARIABLES['S3_SECRET']}', "
                   f"ENDPOINT '{s3_endpoint}', USE_SSL false, URL_STYLE 'path')")
    client.execute("CREATE TABLE lake.numbers AS SELECT range AS number FROM range(1000)")
    files = client.execute("SELECT data_file FROM ducklake_list_files('lake', 'numbers')").fetchall()
    assert files and all(file.startswith("s3://lake/") for (file,) in files)
    assert box.stop() == 0
    box.start()
    assert client.execute("SELECT count(*), sum(number) FROM lake.numbers").fetchone() == (1000, 499500)
