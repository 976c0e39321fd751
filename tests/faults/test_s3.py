"""An object store that is missing, refuses, or goes away under the box's clients."""

import threading
import time

import duckdb
import pytest

CONFIGURATION = 78


def refuse_to_start(new_box, settings):
    box = new_box(start=False, settings=settings)
    box.expect(".")  # the whole log is the message that is looked at here
    box.spawn()
    return box, box.wait_exit()


@pytest.mark.parametrize("change, words", [
    ({"S3_BUCKET_URL": "s3://no-such-bucket/lake/"}, ['bucket "no-such-bucket" does not exist', "Create the bucket"]),
    ({"AWS_ACCESS_KEY_ID": "AKIANOBODYKNOWSME"}, ["does not know the access key id …WSME", "AWS_ACCESS_KEY_ID"]),
    ({"AWS_SECRET_ACCESS_KEY": "not-the-secret-0123456789"}, ["the secret does not belong to it",
                                                               "AWS_SECRET_ACCESS_KEY"]),
    ({"S3_USE_SSL": "true"}, ["does not speak TLS", "S3_USE_SSL=false"]),
], ids=["bucket", "key", "secret", "tls"])
def test_a_store_that_refuses_is_told_at_start(new_box, s3, change, words):
    settings = s3.box_settings("refused") | change
    box, code = refuse_to_start(new_box, settings)
    assert code == CONFIGURATION
    for word in words:
        assert word in box.log()
    assert settings["AWS_SECRET_ACCESS_KEY"] not in box.log()
    assert s3.keys("refused/") == []


def test_a_store_that_cannot_be_reached_is_told(new_box, s3, free_port):
    endpoint = f"127.0.0.1:{free_port()}"
    settings = s3.box_settings("unreachable") | {"S3_ENDPOINT": endpoint, "BOATHOUSE_ENGINE_RESTART_MAX": "1"}
    box, code = refuse_to_start(new_box, settings)
    assert code != 0
    assert f"the store at {endpoint} cannot be reached" in box.log()


def test_the_same_box_starts_when_the_bucket_is_there(new_box, s3):
    settings = s3.box_settings("later") | {"S3_BUCKET_URL": "s3://made-later/lake/"}
    box, code = refuse_to_start(new_box, settings)
    assert code == CONFIGURATION
    s3.make_bucket("made-later")
    box.start()
    assert box.is_ready()
    assert s3.keys("lake/", bucket="made-later") == []  # the probe left nothing behind


class Writer(threading.Thread):
    """A direct client that inserts numbered batches, each large enough to be a Parquet file, until it is stopped."""

    rows = 1_000

    def __init__(self, client):
        super().__init__()
        self.client = client
        self.acknowledged, self.errors, self.done = [], [], threading.Event()

    def run(self):
        number = 0
        while not self.done.is_set():
            try:
                self.client.execute(f"INSERT INTO lake.numbers SELECT {number}, range FROM range({self.rows})")
                self.acknowledged.append(number)
            except duckdb.Error as error:
                self.errors.append(str(error))
            number += 1


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def connect(box, s3, duckdb_home):
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute("LOAD ducklake; LOAD httpfs;")
    client.execute(s3.create_secret())
    client.execute(f"ATTACH '{box.attach_string}' AS lake")
    return client


def test_an_outage_during_inserts_loses_nothing_acknowledged(new_box, s3, duckdb_home):
    box = new_box(settings=s3.box_settings("outage"))
    client = connect(box, s3, duckdb_home)
    client.execute("CREATE TABLE lake.numbers (batch BIGINT, i BIGINT)")
    writer = Writer(client)
    writer.start()
    try:
        wait_for(lambda: len(writer.acknowledged) >= 3)
        s3.stop()
        try:
            wait_for(lambda: writer.errors)
            time.sleep(10)
        finally:
            s3.start()
        before = len(writer.acknowledged)
        wait_for(lambda: len(writer.acknowledged) >= before + 3)
    finally:
        writer.done.set()
        writer.join()

    assert any("connect" in error.lower() and s3.endpoint in error for error in writer.errors), writer.errors[:3]
    fresh = connect(box, s3, duckdb_home)
    batches = dict(fresh.execute("SELECT batch, count(*) FROM lake.numbers GROUP BY batch").fetchall())
    assert set(writer.acknowledged) <= set(batches)
    assert set(batches.values()) == {Writer.rows}  # no half-written snapshot
    box.wait_ready()
