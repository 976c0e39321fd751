"""What a SQL client is told when memory, the store or the catalog gives out, and that its session lives on."""

from pathlib import Path

import psycopg
import pytest
from s3_server import S3Server


def connect(box):
    return psycopg.connect(host=box.host, port=box.sql_port, dbname="lake", user=box.user, password=box.password,
                           autocommit=True)


def test_memory_that_is_not_there_is_53200(new_box):
    box = new_box(settings={"BOATHOUSE_MEMORY_LIMIT_MB": "300", "BOATHOUSE_THREADS": "1"})
    with connect(box) as connection:
        with pytest.raises(psycopg.errors.OutOfMemory) as failure:
            connection.execute("SELECT length(string_agg(repeat('x', 1000), '')) FROM range(2000000)")
        assert str(box.data_dir) not in str(failure.value)
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_data_file_that_is_gone_is_named_from_the_data_directory_on(box):
    with connect(box) as connection:
        connection.execute("CREATE TABLE lost AS SELECT range AS a FROM range(10000)")
        (path,), = connection.execute("SELECT data_file FROM ducklake_list_files('lake', 'lost')").fetchall()
        Path(path).unlink()
        with pytest.raises(psycopg.Error) as failure:
            connection.execute("SELECT sum(a) FROM lost")
        assert failure.value.sqlstate == "58030"
        assert Path(path).name in str(failure.value) and str(box.data_dir) not in str(failure.value)
        connection.execute("DROP TABLE lost")


@pytest.fixture
def own_s3():
    server = S3Server()
    try:
        yield server.start()
    finally:
        server.discard()


def test_a_store_that_is_gone_is_an_io_error(new_box, own_s3):
    box = new_box(settings=own_s3.box_settings("gone"))
    box.expect(".")
    with connect(box) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS a FROM range(10000)")
        own_s3.stop()
        with pytest.raises(psycopg.Error) as failure:
            connection.execute("SELECT sum(a) FROM t")
        assert failure.value.sqlstate in ("58030", "08006")
        assert own_s3.secret_access_key not in str(failure.value)
        assert connection.execute("SELECT 1").fetchone() == (1,)
