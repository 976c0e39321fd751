"""A lake in a bucket whose backups go to a bucket too: there and back, in parts, damaged, and out of reach."""

import json
import shutil
import subprocess
import time

import psycopg
import pytest

from backed_up import WAIT_SECONDS, started
from full_store import FullStore

KEY = "0123456789abcdef" * 4
PREFIX = "backups/one"


@pytest.fixture(scope="module")
def lake(boathouse, s3):
    """A box with a lake and sealed backups on S3; its catalog is too large for an upload in one part."""
    with started(boathouse, **s3.box_settings("backed-up") | {"BOATHOUSE_BACKUP_TO": f"s3://{s3.bucket}/{PREFIX}",
                                                              "BOATHOUSE_BACKUP_KEY": KEY}) as lake:
        lake.sql("CREATE TABLE kept AS SELECT range AS id FROM range(20000)")
        with psycopg.connect(host=str(lake.box.data_dir / "run"), port=lake.box.catalog_port, user="boathouse",
                             dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE TABLE filler AS SELECT sha256(i::text::bytea) FROM generate_series(1, 400000) i")
        yield lake


@pytest.fixture(scope="module")
def backup(lake):
    return lake.create().json


def archive_all(lake, s3):
    (last,), = lake.catalog("SELECT pg_walfile_name(pg_switch_wal())")
    deadline = time.monotonic() + WAIT_SECONDS
    while not s3.keys(f"{PREFIX}/wal/{last}"):
        assert time.monotonic() < deadline, f"{last} is not archived"
        time.sleep(0.05)


def test_a_lake_comes_back_with_what_was_archived_later(lake, s3, backup, into):
    assert lake.listed() == [backup["id"]]
    lake.sql("CREATE TABLE later AS SELECT range AS id FROM range(77)")
    archive_all(lake, s3)
    restored = lake.restore(into, "--to", "end", "--deep").json
    assert restored["files_checked"] and restored["missing"] == [] and restored["files"] == 2
    assert {table["table"]: table["rows"] for table in restored["tables"]} == {"kept": 20000, "later": 77}


def test_a_large_backup_comes_in_parts_and_nothing_lies_there_in_clear(lake, s3, backup):
    keys = s3.keys(f"{PREFIX}/")
    assert f"{PREFIX}/boathouse-backups.json" in keys
    assert all(key.endswith((".sealed", ".json")) for key in keys)
    base = s3.client().head_object(Bucket=s3.bucket, Key=f"{PREFIX}/base/{backup['id']}/base.tar.gz.sealed")
    assert base["ContentLength"] == backup["stored_bytes"] > 8 * 1024 * 1024
    assert "-" in base["ETag"], "an object that was uploaded in parts"
    verified = lake.command("backup", "verify", "--scratch", lake.box.root / "backups", "--json").json
    assert {"schema": "main", "table": "kept", "rows": 20000} in verified["tables"]


@pytest.mark.parametrize("damage", ["gone", "short"])
def test_data_files_that_are_not_there_whole_are_named(lake, s3, backup, into, damage):
    client, (key, *_) = s3.client(), s3.keys("backed-up/main/kept/")
    whole = client.get_object(Bucket=s3.bucket, Key=key)["Body"].read()
    if damage == "gone":
        client.delete_object(Bucket=s3.bucket, Key=key)
    else:
        client.put_object(Bucket=s3.bucket, Key=key, Body=whole[:-1])
    try:
        restored = lake.restore(into, "--to", backup["id"])
    finally:
        client.put_object(Bucket=s3.bucket, Key=key, Body=whole)
    assert restored.code == 1 and "queries that need them will fail" in restored.errors
    fault = "it is not in the bucket" if damage == "gone" else f"{len(whole) - 1} bytes instead of {len(whole)}"
    assert json.loads(restored.output)["missing"] == [f"s3://{s3.bucket}/{key}: {fault}"]


@pytest.fixture(scope="module")
def with_data(lake, backup):
    return lake.create("--with-data").json


@pytest.fixture
def lost(s3):
    """The lake's own objects are gone from the bucket until the test is over."""
    client = s3.client()
    objects = {key: client.get_object(Bucket=s3.bucket, Key=key)["Body"].read() for key in s3.keys("backed-up/")}
    assert objects
    for key in objects:
        client.delete_object(Bucket=s3.bucket, Key=key)
    yield objects
    for key, body in objects.items():
        client.put_object(Bucket=s3.bucket, Key=key, Body=body)


def test_data_files_are_copied_once_and_sealed(lake, s3, with_data):
    keys = s3.keys(f"{PREFIX}/data/")
    assert len(keys) == with_data["data_files"] > 0 and all(key.endswith(".parquet.sealed") for key in keys)
    body = s3.client().get_object(Bucket=s3.bucket, Key=keys[0])["Body"].read()
    assert body.startswith(b"boathouse sealed 1\n") and b"PAR1" not in body
    assert lake.create("--with-data").json["new_data_bytes"] == 0


def test_the_lake_comes_back_without_its_objects(lake, s3, with_data, lost, into):
    restored = lake.restore(into, "--to", with_data["id"], "--deep").json
    assert restored["missing"] == [] and restored["data_path"] == f"{into}/lake/"
    assert {"schema": "main", "table": "kept", "rows": 20000} in restored["tables"]
    shutil.rmtree(into)
    other = f"s3://{s3.bucket}/brought-back/"
    restored = lake.restore(into, "--to", with_data["id"], "--data-into", other, "--deep").json
    assert restored["data_path"] == other and restored["missing"] == []
    assert len(s3.keys("brought-back/")) == restored["files"] + restored["history_files"]
    shutil.rmtree(into)
    refused = lake.restore(into, "--to", with_data["id"], "--data-into", other)
    assert refused.code != 0 and "is not empty" in refused.errors and len(s3.keys("brought-back/")) > 0


def test_copies_take_the_key_and_are_read_to_their_end(lake, s3, with_data, lost, into):
    wrong = lake.restore(into, "--to", with_data["id"], BOATHOUSE_BACKUP_KEY="f" * 64)
    assert wrong.code == 77 and "is encrypted with the key" in wrong.errors
    client, (key, *_) = s3.client(), s3.keys(f"{PREFIX}/data/")
    whole = client.get_object(Bucket=s3.bucket, Key=key)["Body"].read()
    client.put_object(Bucket=s3.bucket, Key=key, Body=whole[:-1])
    try:
        cut = lake.restore(into, "--to", with_data["id"])
    finally:
        client.put_object(Bucket=s3.bucket, Key=key, Body=whole)
    assert cut.code == 1
    (fault,) = json.loads(cut.output)["missing"]
    assert f"s3://{s3.bucket}/{key} is damaged or cut off" in fault


@pytest.mark.parametrize("settings, told", [
    ({"AWS_SECRET_ACCESS_KEY": "wrong"}, ["HTTP 403", "Check AWS_ACCESS_KEY_ID"]),
    ({"BOATHOUSE_BACKUP_TO": "s3://nowhere-at-all/backups"}, ["NoSuchBucket", "Create the bucket"]),
    ({"S3_ENDPOINT": "127.0.0.1:1"}, ["s3://lake does not answer", "S3_ENDPOINT"]),
    ({"BOATHOUSE_BACKUP_TO": "s3://lake/backed-up/backups"}, ["lies among the lake's files"]),
    ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, ["AWS_ACCESS_KEY_ID is not set"]),
])
def test_a_place_that_cannot_be_used_is_told_and_leaves_what_was_there(lake, backup, settings, told):
    before = lake.listed()
    failed = lake.create(**settings)
    assert failed.code != 0
    for words in told:
        assert words in failed.errors
    assert lake.listed() == before


@pytest.mark.parametrize("status, code", [(507, "XMinioStorageFull"), (403, "QuotaExceeded")])
def test_a_full_bucket_leaves_the_last_good_backup(lake, s3, with_data, status, code):
    before, there = lake.listed(), set(s3.keys(f"{PREFIX}/base/"))
    with FullStore(s3.endpoint, 9_000_000, status, code) as store:  # the first part of the catalog fits
        failed = lake.create(S3_ENDPOINT=store.endpoint)
        assert store.refused > 0
    assert failed.code != 0 and code in failed.errors and "Make room there" in failed.errors
    with FullStore(s3.endpoint, 0, status, code) as store:
        failed = lake.create("--with-data", S3_ENDPOINT=store.endpoint)
    assert failed.code != 0 and code in failed.errors
    assert lake.listed() == before and set(s3.keys(f"{PREFIX}/base/")) == there
    assert not s3.client().list_multipart_uploads(Bucket=s3.bucket, Prefix=f"{PREFIX}/").get("Uploads")


def test_a_backup_killed_in_the_middle_of_an_upload_is_none(lake, s3, with_data):
    before, there, client = lake.listed(), set(s3.keys(f"{PREFIX}/base/")), s3.client()

    def uploads() -> list:
        return client.list_multipart_uploads(Bucket=s3.bucket, Prefix=f"{PREFIX}/base/").get("Uploads", [])

    process = subprocess.Popen([lake.box.binary, "backup", "create", "--data-dir", lake.box.data_dir,
                                "--backup-rate-mb", "4"], env=lake.box.environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + WAIT_SECONDS
    while not uploads():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert uploads(), "it was killed before it had ended the upload"
    assert lake.listed() == before and set(s3.keys(f"{PREFIX}/base/")) == there
    latest = lake.restore(lake.box.root / "after-kill").json
    assert latest["backup"] == before[-1]
    newer = lake.create().json
    assert not uploads() and lake.listed() == [*before, newer["id"]]


def test_what_was_left_half_done_is_removed_and_old_backups_too(lake, s3, backup):
    client = s3.client()
    client.create_multipart_upload(Bucket=s3.bucket, Key=f"{PREFIX}/base/20200101T000000Z/base.tar.gz.sealed")
    client.put_object(Bucket=s3.bucket, Key=f"{PREFIX}/base/20200102T000000Z/base.tar.gz.sealed", Body=b"half")
    newer = lake.create().json
    assert not client.list_multipart_uploads(Bucket=s3.bucket, Prefix=f"{PREFIX}/base/").get("Uploads")
    assert not s3.keys(f"{PREFIX}/base/2020")
    pruned = lake.command("backup", "prune", "--data-dir", lake.box.data_dir, "--older-than", "0 seconds")
    assert pruned.code == 0, pruned.errors
    assert lake.listed() == [newer["id"]] and not s3.keys(f"{PREFIX}/base/{backup['id']}")
