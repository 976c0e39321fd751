"""The image itself, and a box in a container of it."""

import json

import pytest

SIZE_MAX_BYTES = 450_000_000


@pytest.fixture(scope="module")
def box(run_box):
    return run_box()


@pytest.fixture(scope="module")
def image(container, image_name) -> dict:
    return json.loads(container("image", "inspect", image_name).stdout)[0]


def test_the_image_is_small(image):
    assert image["Size"] <= SIZE_MAX_BYTES


def test_the_image_says_what_it_is_and_how_to_run_it(image):
    config = image["Config"]
    assert config["User"] == "boathouse"
    assert config["StopSignal"] == "SIGTERM"
    assert "/var/lib/boathouse" in config["Volumes"]
    assert set(config["ExposedPorts"]) == {"5432/tcp", "5433/tcp", "8080/tcp"}
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == "Boathouse"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.version"]


def test_no_process_runs_as_root(box):
    owners = box.execute("sh", "-c", "stat -c %u /proc/[0-9]*").stdout.split()
    assert len(owners) > 3
    assert "0" not in owners


def test_the_health_check_succeeds(box, image):
    check = (image.get("Healthcheck") or image["Config"]["Healthcheck"])["Test"]
    assert check[0] == "CMD"
    done = box.execute(*check[1:])
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_client_outside_inserts_and_a_restart_keeps_it(box):
    client = box.attach()
    client.execute("CREATE TABLE lake.numbers AS SELECT range AS number FROM range(1000)")
    client.execute("INSERT INTO lake.numbers VALUES (1000)")
    client.close()
    assert box.stop() == 0
    assert not box.is_ready()
    box.start()
    assert box.attach().execute("SELECT count(*), sum(number) FROM lake.numbers").fetchone() == (1001, 500500)
    assert list((box.data_dir / "lake").rglob("*.parquet"))


def test_without_a_password_it_ends_and_says_so(container, image_name):
    done = container("run", "--rm", "--network=host", image_name, check=False)
    assert done.returncode == 78
    assert "Missing required configuration: POSTGRES_PASSWORD" in done.stderr + done.stdout


def test_an_engine_that_is_killed_comes_back(box):
    killed = box.execute("sh", "-c", 'for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" = '
                         '/usr/libexec/boathouse/boathouse-engine ] && kill -9 "${p#/proc/}" && echo killed; done')
    assert killed.stdout.split() == ["killed"]
    box.wait_ready()
    assert box.attach().execute("SELECT 1").fetchone() == (1,)
