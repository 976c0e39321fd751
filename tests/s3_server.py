"""A real S3 server (SeaweedFS, from its package on PyPI), private to a test session.

It listens on loopback only, with telemetry and the creation of buckets by upload turned off, so that a missing bucket is
an error as it is elsewhere. An S3Server owns one process and one directory; it can be killed and started again on the same ports,
with everything it held.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
import botocore.config
import botocore.exceptions

from loopback import free_port

START_TIMEOUT_SECONDS = 60


class S3Server:
    bucket = "lake"
    region = "us-east-1"
    access_key_id = "boathouse-test"
    secret_access_key = "wJalrXUtnFEMI-K7MDENG"

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="boathouse-s3-"))
        self.port = free_port()
        self._ports = {name: free_port() for name in
                       ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port",
                        "filer.port.grpc", "s3.port.grpc")}
        self._process: subprocess.Popen | None = None

    def start(self) -> "S3Server":
        """Starts the server and waits until it answers and has the bucket."""
        weed = Path(sys.executable).with_name("weed")
        ports = [f"-{name}={port}" for name, port in self._ports.items()]
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": self.access_key_id,
                       "AWS_SECRET_ACCESS_KEY": self.secret_access_key}
        with open(self.root / "s3.log", "ab") as log:
            self._process = subprocess.Popen(
                [weed, "-logtostderr=true", "server", f"-dir={self.root}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
                 "-master.telemetry=false", "-master.electionTimeout=1s", "-master.volumeSizeLimitMB=64", "-volume.max=0", "-filer", "-s3",
                 f"-s3.port={self.port}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false", *ports],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                self.make_bucket(self.bucket)
                return self
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the S3 server did not start: {error}\n{self.log()[-4000:]}") from error
                time.sleep(0.2)

    def stop(self) -> None:
        """SIGKILL: the server is gone at once, as in an outage; start() brings it back."""
        self._process.kill()
        self._process.wait()

    def discard(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def make_bucket(self, name: str) -> None:
        """Creates a bucket; one that exists is left as it is."""
        try:
            self.client().create_bucket(Bucket=name)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in ("BucketAlreadyExists", "BucketAlreadyOwnedByYou"):
                raise

    def keys(self, prefix: str = "", bucket: str | None = None) -> list[str]:
        """The keys of the objects in the bucket that begin with `prefix`."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket or self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def serves(self, prefix: str = "") -> bool:
        """Whether every object can be read. A server that was killed lists them before it knows where they lie."""
        try:
            for key in self.keys(prefix):
                self.client().get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            return False
        return True

    def client(self):
        """A boto3 client with the server's own credentials."""
        return boto3.client("s3", endpoint_url=f"http://{self.endpoint}", region_name=self.region,
                            aws_access_key_id=self.access_key_id, aws_secret_access_key=self.secret_access_key,
                            config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0},
                                                          connect_timeout=5, read_timeout=20))

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def log(self) -> str:
        return (self.root / "s3.log").read_text(errors="replace")

    def box_settings(self, prefix: str) -> dict[str, str]:
        """The environment that puts a box's lake under `prefix` of the bucket."""
        return {"S3_BUCKET_URL": f"s3://{self.bucket}/{prefix}/", "S3_ENDPOINT": self.endpoint, "S3_USE_SSL": "false",
                "AWS_REGION": self.region, "AWS_ACCESS_KEY_ID": self.access_key_id,
                "AWS_SECRET_ACCESS_KEY": self.secret_access_key}

    def create_secret(self) -> str:
        """The statement that lets a DuckDB client at the bucket."""
        return (f"CREATE SECRET (TYPE s3, KEY_ID '{self.access_key_id}', SECRET '{self.secret_access_key}', "
                f"REGION '{self.region}', ENDPOINT '{self.endpoint}', USE_SSL false, URL_STYLE 'path')")
