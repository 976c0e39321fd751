"""DuckLake's own functions through the SQL door, on a local data path and on S3: snapshots, changes, options, upkeep."""

import itertools

import pytest
from wire import COPY_DONE, Wire, copy_data, query

_numbers = itertools.count()


@pytest.fixture(params=["box", "box_s3"])
def lake(request):
    with Wire(request.getfixturevalue(request.param)) as wire:
        yield wire.log_in()


@pytest.fixture
def events(lake):
    """A table with several small files, some of its rows deleted."""
    name = f"events_{next(_numbers)}"
    lake.rows(f"CREATE TABLE {name} (id int, what text)")
    for begin in range(0, 60, 20):
        lake.rows(f"INSERT INTO {name} SELECT i, 'event ' || i FROM range({begin}, {begin + 20}) AS t(i)")
    yield name
    lake.rows(f"DROP TABLE {name}")


def one(lake, text: str) -> str:
    (value,), = lake.rows(text)
    return value


def snapshot(lake) -> int:
    return int(one(lake, "SELECT id FROM ducklake_current_snapshot('lake')"))


def files(lake, table: str) -> int:
    return int(one(lake, f"SELECT count(*) FROM ducklake_list_files('lake', '{table}')"))


def test_time_travel(lake, events):
    before = snapshot(lake)
    lake.rows(f"DELETE FROM {events} WHERE id < 10")
    assert one(lake, f"SELECT count(*) FROM {events}") == "50"
    assert one(lake, f"SELECT count(*) FROM {events} AT (VERSION => {before})") == "60"
    assert one(lake, f"SELECT count(*) FROM ducklake_snapshots('lake') WHERE snapshot_id = {before}") == "1"
    changed = lake.rows(f"SELECT change_type, count(*) FROM ducklake_table_changes('lake', 'main', '{events}', {before + 1}, "
                        f"{snapshot(lake)}) GROUP BY 1")
    assert changed == [["delete", "10"]]
    assert one(lake, f"SELECT count(*) FROM ducklake_table_deletions('lake', 'main', '{events}', {before + 1}, "
                     f"{snapshot(lake)})") == "10"
    moment = one(lake, f"SELECT snapshot_time FROM ducklake_snapshots('lake') WHERE snapshot_id = {before}")
    assert one(lake, f"SELECT count(*) FROM {events} AT (TIMESTAMP => '{moment}'::timestamptz)") == "60"


def test_a_prepared_statement_reads_the_lake_anew(lake, events):
    """DuckLake's functions read the lake when they are bound; a prepared statement is bound at each execution."""
    lake.rows("PREPARE newest AS SELECT id FROM ducklake_current_snapshot('lake')")
    lake.rows("PREPARE history AS SELECT max(snapshot_id) FROM ducklake_snapshots('lake')")
    lake.rows(f"PREPARE listed AS SELECT count(*) FROM ducklake_list_files('lake', '{events}')")
    for number in range(3):
        before = int(one(lake, "EXECUTE newest")), int(one(lake, "EXECUTE listed"))
        lake.rows(f"INSERT INTO {events} SELECT i, 'later' FROM range(20) AS t(i)")
        assert int(one(lake, "EXECUTE newest")) > before[0], number
        assert int(one(lake, "EXECUTE history")) == int(one(lake, "EXECUTE newest")), number
        assert int(one(lake, "EXECUTE listed")) == before[1] + 1, number
    for name in ("newest", "history", "listed"):
        lake.rows(f"DEALLOCATE {name}")


def test_small_files_are_merged_and_old_ones_removed(lake, events):
    before = files(lake, events)
    assert before >= 3
    lake.rows("CALL ducklake_merge_adjacent_files('lake')")
    assert files(lake, events) < before
    lake.rows("CALL ducklake_expire_snapshots('lake', older_than => now())")
    lake.rows("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
    assert one(lake, f"SELECT sum(id) FROM {events}") == str(sum(range(60)))


def test_deletes_are_rewritten(lake, events):
    lake.rows("CALL ducklake_merge_adjacent_files('lake')")
    lake.rows(f"DELETE FROM {events} WHERE id % 2 = 0")
    lake.rows(f"CALL ducklake_rewrite_data_files('lake', '{events}', delete_threshold => 0)")
    assert one(lake, f"SELECT count(*) FROM ducklake_list_files('lake', '{events}') WHERE delete_file IS NOT NULL") == "0"
    assert one(lake, f"SELECT count(*) FROM {events}") == "30"


def test_inlined_rows_are_flushed(lake, events):
    before = files(lake, events)
    lake.rows(f"INSERT INTO {events} VALUES (1000, 'inlined')")
    assert files(lake, events) == before
    lake.rows("CALL ducklake_flush_inlined_data('lake')")
    assert files(lake, events) == before + 1


def test_checkpoint(lake, events):
    before = files(lake, events)
    assert lake.tags("CHECKPOINT lake") != []
    assert files(lake, events) < before
    assert one(lake, f"SELECT count(*) FROM {events}") == "60"


def test_options_and_table_info(lake, events):
    lake.rows(f"CALL ducklake_set_option('lake', 'parquet_compression', 'gzip', table_name => '{events}')")
    assert one(lake, "SELECT value FROM ducklake_options('lake') WHERE option_name = 'parquet_compression' "
                     f"AND scope_entry LIKE '%{events}%'") == "gzip"
    assert int(one(lake, f"SELECT file_count FROM ducklake_table_info('lake') WHERE table_name = '{events}'")) >= 3


def test_commit_messages(lake, events):
    lake.run("BEGIN")
    lake.rows(f"INSERT INTO {events} VALUES (2000, 'told')")
    lake.rows("CALL ducklake_set_commit_message('lake', 'alice', 'why it was done')")
    assert lake.tags("COMMIT") == ["COMMIT"]
    assert lake.rows("SELECT author, commit_message FROM ducklake_snapshots('lake') ORDER BY snapshot_id DESC LIMIT 1") == [
        ["alice", "why it was done"]]


def test_copy_both_ways(lake, events):
    lake.send(query(f"COPY {events} FROM STDIN"))
    assert lake.read()[0] == "G"
    lake.send(copy_data(b"".join(b"%d\tcopied\n" % i for i in range(3000, 4000))), COPY_DONE)
    assert ("C", b"COPY 1000\0") in lake.until("Z")
    messages = lake.run(f"COPY (SELECT id FROM {events} WHERE id >= 3000 ORDER BY id) TO STDOUT")
    assert b"".join(body for kind, body in messages if kind == "d") == b"".join(b"%d\n" % i for i in range(3000, 4000))
