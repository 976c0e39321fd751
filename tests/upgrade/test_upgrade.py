"""`boathouse upgrade-postgres`: a box moves to a newer PostgreSQL, with everything, and back."""

import signal
import subprocess
import time

import duckdb
import psycopg
import pytest
from plain_postgres import postgres_directory

WAIT_SECONDS = 120
DEBIANS = 15


def door_of(box, user=None, password=None) -> psycopg.Connection:
    return psycopg.connect(host=box.host, port=box.sql_port, user=user or box.user, password=password or box.password,
                           dbname="lake", autocommit=True)


def arguments(box, *more) -> list:
    return [box.binary, "upgrade-postgres", "--data-dir", box.data_dir, *more]


def upgrade(box, *more) -> subprocess.CompletedProcess:
    return subprocess.run(arguments(box, *more), env=box.environment, capture_output=True, text=True, timeout=240)


def version_of(cluster) -> str:
    return (cluster / "PG_VERSION").read_text().strip()


@pytest.fixture
def to_newest(newest_postgres):
    """What sends the old cluster to the newest PostgreSQL."""
    return ["--from-bin", postgres_directory(), "--to-bin", newest_postgres]


def fill(box) -> None:
    """Of each kind something: files, inlined rows, deletes, a role with privileges, a tag, an ALTER SYSTEM."""
    with door_of(box) as door:
        door.execute("CREATE SCHEMA sales; CREATE TABLE sales.orders (id int NOT NULL, amount decimal(10, 2), place text)")
        door.execute("INSERT INTO sales.orders SELECT range, range / 7, 'x' FROM range(20000)")
        door.execute("INSERT INTO sales.orders VALUES (%s, %s, %s)", (20000, 1, "ä'\\"), prepare=True)
        door.execute("DELETE FROM sales.orders WHERE id % 100 = 0")
        door.execute("CREATE VIEW sales.large AS SELECT id FROM sales.orders WHERE amount > 1000")
        door.execute("CREATE ROLE clerk LOGIN PASSWORD 'a-clerk-s own'")
        door.execute("GRANT CONNECT ON DATABASE lake TO clerk")
        door.execute("GRANT USAGE ON SCHEMA sales TO clerk")
        door.execute("GRANT SELECT (id) ON sales.orders TO clerk")
        door.execute("CALL boathouse.create_tag('before')")
    with psycopg.connect(host=str(box.data_dir / "run"), port=box.catalog_port, user="boathouse", dbname="postgres",
                         autocommit=True) as superuser:
        superuser.execute("ALTER SYSTEM SET deadlock_timeout = '1234ms'")


QUESTIONS = ["SELECT count(*), sum(id), sum(amount) FROM sales.orders", "SELECT id, place FROM sales.orders WHERE id >= 19998 ORDER BY id",
             "SELECT count(*) FROM sales.large", "SELECT name, snapshot_id FROM boathouse.tags",
             "SELECT count(*) FROM sales.orders AT (VERSION => 3)"]


def answers(box, duckdb_home) -> list:
    """By the SQL door, by a direct client, and to a role of few privileges."""
    with door_of(box) as door:
        found = [door.execute(question).fetchall() for question in QUESTIONS]
        found.append(door.execute("SELECT relname FROM pg_class WHERE relnamespace = 'sales'::regnamespace ORDER BY 1").fetchall())
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute(f"LOAD ducklake; ATTACH '{box.attach_string}' AS lake")
    found.append(client.execute("SELECT count(*), sum(id) FROM lake.sales.orders").fetchall())
    client.close()
    with door_of(box, "clerk", "a-clerk-s own") as clerk:
        found.append(clerk.execute("SELECT count(id) FROM sales.orders").fetchall())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            clerk.execute("SELECT amount FROM sales.orders")
    return found


def major_of(box) -> int:
    with psycopg.connect(box.dsn) as catalog:
        return catalog.info.server_version // 10000


# Client programs are there for Debian's version alone; one side's are enough.
@pytest.mark.parametrize(("old", "new"), [(14, DEBIANS), (DEBIANS, 16), (DEBIANS, 17), (DEBIANS, 18)])
def test_to_a_newer_one_and_back(new_box, postgres_of, duckdb_home, old, new):
    programs = {major: postgres_directory() if major == DEBIANS else postgres_of(major) for major in (old, new)}
    ways = ["--from-bin", programs[old], "--to-bin", programs[new]]
    box = new_box(settings={"BOATHOUSE_PG_BIN": str(programs[old])})
    fill(box)
    before = answers(box, duckdb_home)
    assert major_of(box) == old
    refused = upgrade(box, *ways)
    assert refused.returncode != 0 and "another box runs on the data directory" in refused.stderr
    assert box.stop() == 0

    moved = upgrade(box, *ways)
    assert moved.returncode == 0, moved.stderr
    aside = box.data_dir / f"postgres.{old}"
    assert str(aside) in moved.stdout and "upgrade-postgres --back" in moved.stdout
    assert (version_of(box.data_dir / "postgres"), version_of(aside)) == (str(new), str(old))
    assert "a-clerk-s own" not in moved.stdout + moved.stderr and "SCRAM" not in moved.stdout + moved.stderr

    box.environment["BOATHOUSE_PG_BIN"] = str(programs[new])
    box.start()
    assert major_of(box) == new
    with psycopg.connect(box.dsn) as catalog:
        assert catalog.execute("SHOW deadlock_timeout").fetchone() == ("1234ms",)
    assert answers(box, duckdb_home) == before
    with door_of(box) as door:
        door.execute("ALTER ROLE clerk PASSWORD 'another one'")  # by whom it had made
        door.execute("GRANT SELECT ON sales.large TO clerk")
        door.execute("INSERT INTO sales.orders VALUES (-1, 0, 'after')")
    door_of(box, "clerk", "another one").close()
    assert box.stop() == 0

    back = upgrade(box, "--back")
    assert back.returncode == 0, back.stderr
    assert version_of(box.data_dir / "postgres") == str(old) and version_of(box.data_dir / f"postgres.{new}") == str(new)
    box.environment["BOATHOUSE_PG_BIN"] = str(programs[old])
    box.start()
    assert answers(box, duckdb_home) == before


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still waiting: {what}"
        time.sleep(0.01)


def test_whatever_ends_it_leaves_the_old_cluster_in_use(new_box, to_newest):
    box = new_box()
    with door_of(box) as door:
        door.execute("CREATE TABLE kept AS SELECT range AS i FROM range(1000)")
    assert box.stop() == 0
    old = version_of(box.data_dir / "postgres")
    for step in ("moving the database lakehouse", "comparing"):
        process = subprocess.Popen(arguments(box, *to_newest), env=box.environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if line.startswith(step):
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        assert version_of(box.data_dir / "postgres") == old, f"after the end while {step}"
    # Something that the new PostgreSQL does not take.
    local = box.data_dir / "postgres" / "local.conf"
    local.write_text("vacuum_defer_cleanup_age = 0\n")  # gone since 16
    failed = upgrade(box, *to_newest)
    assert failed.returncode != 0 and "vacuum_defer_cleanup_age" in failed.stderr and "local.conf" in failed.stderr
    local.write_text("")
    box.start()
    with door_of(box) as door:
        assert door.execute("SELECT count(*), sum(i) FROM kept").fetchone() == (1000, 499500)
    assert not list(box.data_dir.glob("postgres.*"))


def test_what_it_needs_it_says(new_box, to_newest, newest_postgres):
    box = new_box(start=False)
    nothing = upgrade(box, *to_newest)
    assert nothing.returncode != 0 and "there is no cluster of a box in" in nothing.stderr
    box.start()
    assert box.stop() == 0
    newest = upgrade(box, "--to-bin", postgres_directory())
    assert newest.returncode == 78 and "the newest that was found is" in newest.stderr and "--to-bin" in newest.stderr
    back = upgrade(box, "--back")
    assert back.returncode != 0 and "no cluster is set aside" in back.stderr
    # Servers without client programs on both sides.
    bare = box.root / "bare"
    bare.mkdir(mode=0o755)
    for program in ("postgres", "initdb"):
        (bare / program).symlink_to(postgres_directory() / program)
    clients = upgrade(box, "--from-bin", bare, "--to-bin", newest_postgres)
    assert clients.returncode != 0 and "pg_dumpall" in clients.stderr
    external = subprocess.run(arguments(box), env=box.environment | {"BOATHOUSE_CATALOG": "postgresql://a:b@127.0.0.1/c"},
                              capture_output=True, text=True, timeout=60)
    assert external.returncode == 78 and "not this box's to stop and change" in external.stderr
