"""Ways out of what one was granted: each is refused, and what it was after is not told."""

import psycopg
import pytest

SECRET = "the balance of account 4711"

# "{path}" is the lake's data path. `secret` holds SECRET; the role may read `open`, and the view `door` on it.
WAYS_OUT = """
SELECT set_config('role', 'admin', false)
SELECT set_config('session_authorization', 'admin', false)
SET SESSION AUTHORIZATION admin
SET ROLE admin
SET role = 'lake_admin'
RESET SESSION AUTHORIZATION; SELECT * FROM secret
SET search_path = pg_boathouse; SELECT * FROM secret
SET search_path = main, public; SELECT * FROM secret
SELECT * FROM "main"."secret"
SELECT * FROM "SECRET"
SELECT * FROM lake.secret
SELECT * FROM lake.main.secret
SELECT * FROM query('SELECT * FROM secret')
SELECT * FROM query_table('secret')
SELECT * FROM query_table(['open', 'secret'])
SELECT * FROM door, query_table('secret')
WITH door AS (SELECT * FROM secret) SELECT * FROM door
SELECT * FROM door WHERE EXISTS (SELECT 1 FROM secret)
SELECT (SELECT max(text) FROM secret)
SELECT * FROM open ORDER BY (SELECT max(text) FROM secret)
SELECT * FROM open LIMIT (SELECT count(text) FROM secret)
SELECT * FROM open JOIN LATERAL (SELECT * FROM secret WHERE secret.id = open.id) s ON true
SELECT count(*) FROM secret
SELECT error(text) FROM secret
SELECT text::int FROM secret
SELECT * FROM secret LIMIT 0
SUMMARIZE secret
PIVOT secret ON text USING count(*)
FROM secret
SELECT * FROM secret AT (VERSION => {version})
SELECT * FROM ducklake_table_changes('lake', 'main', 'secret', 0, {version})
SELECT * FROM ducklake_table_insertions('lake', 'main', 'secret', 0, {version})
SELECT * FROM lake.table_changes('secret', 0, {version})
SELECT * FROM ducklake_list_files('lake', 'secret')
SELECT * FROM ducklake_options('lake')
SELECT * FROM ducklake_settings('lake')
SELECT * FROM __ducklake_metadata_lake.ducklake_metadata
SELECT * FROM __ducklake_metadata_lake.pg_catalog.pg_authid
SELECT * FROM read_parquet('{path}main/secret/*.parquet')
SELECT * FROM parquet_scan('{path}main/secret/*.parquet')
SELECT * FROM '{path}main/secret/*.parquet'
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM glob('{path}*')
SELECT * FROM parquet_metadata('{path}main/secret/*.parquet')
SELECT * FROM sniff_csv('/etc/passwd')
COPY secret TO STDOUT
COPY (SELECT * FROM secret) TO STDOUT
COPY secret TO '/tmp/out'
COPY open TO '/tmp/out.parquet'
COPY open FROM '/etc/passwd'
EXPORT DATABASE '/tmp/out'
ATTACH '/tmp/other.db'
ATTACH 'ducklake:postgres:dbname=lakehouse' AS other
ATTACH ':memory:' AS other
USE __ducklake_metadata_lake
DETACH lake
INSTALL httpfs
LOAD httpfs
PRAGMA database_list
PRAGMA enable_external_access
SET enable_external_access = true
SET allowed_directories = ['/']
SELECT * FROM duckdb_secrets()
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_databases()
SELECT * FROM duckdb_logs()
SELECT * FROM postgres_query('__ducklake_metadata_lake', 'SELECT 1')
SELECT * FROM postgres_scan('', 'public', 'ducklake_metadata')
CALL postgres_execute('__ducklake_metadata_lake', 'SELECT 1')
CREATE SECRET (TYPE s3)
CREATE PERSISTENT SECRET s (TYPE s3)
DROP SECRET s
CREATE VIEW mine AS SELECT * FROM secret
CREATE MACRO mine() AS TABLE SELECT * FROM secret
CREATE TABLE mine AS SELECT * FROM secret
CREATE TEMP TABLE mine AS SELECT * FROM secret
CREATE TEMP VIEW mine AS SELECT * FROM secret; SELECT * FROM mine
CREATE TEMP MACRO mine() AS TABLE SELECT * FROM secret; SELECT * FROM mine()
INSERT INTO open SELECT id FROM secret
UPDATE open SET id = (SELECT max(id) FROM secret)
MERGE INTO open USING secret ON open.id = secret.id WHEN MATCHED THEN DELETE
DELETE FROM open USING secret WHERE open.id = secret.id
GRANT SELECT ON secret TO intruder
GRANT lake_admin TO intruder
ALTER ROLE intruder SUPERUSER
ALTER TABLE secret OWNER TO intruder
REASSIGN OWNED BY admin TO intruder
ALTER TABLE secret RENAME TO mine
ALTER VIEW door RENAME TO mine
COMMENT ON TABLE secret IS 'seen'
DROP TABLE secret
TRUNCATE secret
SELECT pg_read_file('/etc/passwd')
SELECT pg_ls_dir('.')
SELECT * FROM pg_authid
SELECT rolpassword FROM pg_authid
SELECT * FROM pg_boathouse.state; SELECT * FROM secret
SELECT lo_import('/etc/passwd')
SELECT query_to_xml('SELECT * FROM secret', true, true, ''), 1 FROM secret
CALL ducklake_set_option('lake', 'data_inlining_row_limit', 0)
CALL ducklake_expire_snapshots('lake', older_than => now())
CALL ducklake_add_data_files('lake', 'open', '{path}main/secret/x.parquet')
CALL ducklake_set_commit_message('lake', 'admin', 'not me')
CHECKPOINT lake
SELECT * FROM boathouse.table_diff('secret', 0, {version})
SELECT * FROM boathouse.table_history('secret')
SELECT * FROM boathouse_box_table_diff('secret', '0', '{version}', '')
CALL boathouse.restore_table('secret', {version})
CALL boathouse.undrop_table('secret')
CALL boathouse.set_policy('snapshot_age', '1 hour')
CALL boathouse.create_tag('mine')
SELECT * FROM boathouse.keeper_runs
SELECT boathouse_view_columns(0)
SELECT * FROM boathouse_view_columns(0)
"""


@pytest.fixture(scope="module")
def intruder(owner, client, new_role):
    owner.execute("CREATE TABLE secret (id int, text text)")
    owner.execute("INSERT INTO secret VALUES (1, %s)", [SECRET])
    owner.execute("CREATE TABLE open (id int)")
    owner.execute("INSERT INTO open VALUES (1)")
    owner.execute("CREATE VIEW door AS SELECT * FROM open")
    new_role("intruder")
    for relation in ("open", "door"):
        owner.execute(f"GRANT SELECT ON {relation} TO intruder")
    return client("intruder", prepare_threshold=None)


@pytest.mark.parametrize("way", WAYS_OUT.strip().splitlines())
def test_the_way_is_shut(way, intruder, owner, privilege_box):
    version = owner.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone()[0]
    *before, last = way.format(path=f"{privilege_box.data_dir}/lake/", version=version).split("; ")
    try:
        for statement in before:
            try:
                intruder.execute(statement)
            except psycopg.Error:
                pass
        with pytest.raises(psycopg.Error) as refused:
            if last.startswith("COPY") and "STDOUT" in last:
                with intruder.cursor().copy(last) as rows:
                    for _ in rows:
                        pass
            else:
                intruder.execute(last)
        assert SECRET not in str(refused.value)
    finally:
        intruder.execute("DISCARD ALL")
    assert owner.execute("SELECT text FROM secret").fetchall() == [(SECRET,)]
    assert intruder.execute("SELECT id FROM open").fetchall() == [(1,)]


def test_there_are_enough_of_them():
    assert len(WAYS_OUT.strip().splitlines()) >= 60
