"""A synchronization of the mirror that is cut short, at any of its statements and at its COMMIT: the mirror is right again with
the next answer.

A trap in the mirror's database counts what a synchronization does there, by event triggers and triggers on its own tables. At
the step that the test has set it ends the connection, or holds it while the test kills the engine. The count is a sequence's,
which no rollback takes back. BOATHOUSE_MIRROR_CUT_EVERY=1 tries all the steps, which takes minutes;
BOATHOUSE_MIRROR_KILL_SEED chooses those at which the engine is killed.
"""

import contextlib
import os
import random
import threading
import time

import psycopg
import pytest
from box_process import Box, running
from direct_client import attached
from lake_picture import differences, of_the_lake, of_the_mirror

EVERY = int(os.environ.get("BOATHOUSE_MIRROR_CUT_EVERY", "20"))
KILL_SEED = int(os.environ.get("BOATHOUSE_MIRROR_KILL_SEED", "20261123"))
NEVER = 0

TRAP = """
SET allow_system_table_mods = on;
CREATE SCHEMA pg_trap;
CREATE SEQUENCE pg_trap.step;
CREATE TABLE pg_trap.armed (step bigint);
INSERT INTO pg_trap.armed VALUES (0);
CREATE FUNCTION pg_trap.take_step() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF session_user <> 'boathouse_mirror' OR nextval('pg_trap.step') <> (SELECT step FROM pg_trap.armed) THEN RETURN; END IF;
    PERFORM {action};
END $$;
CREATE FUNCTION pg_trap.at_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM pg_trap.take_step(); END $$;
CREATE FUNCTION pg_trap.at_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM pg_trap.take_step(); RETURN NULL; END $$;
CREATE EVENT TRIGGER trap ON ddl_command_end EXECUTE FUNCTION pg_trap.at_ddl();
CREATE TRIGGER trap AFTER INSERT OR UPDATE OR DELETE ON pg_boathouse.schema EXECUTE FUNCTION pg_trap.at_write();
CREATE TRIGGER trap AFTER INSERT OR UPDATE OR DELETE ON pg_boathouse.relation EXECUTE FUNCTION pg_trap.at_write();
CREATE TRIGGER trap AFTER INSERT OR UPDATE OR DELETE ON pg_boathouse.attribute EXECUTE FUNCTION pg_trap.at_write();
CREATE TRIGGER trap AFTER INSERT OR UPDATE OR DELETE ON pg_boathouse.macro EXECUTE FUNCTION pg_trap.at_write();
CREATE CONSTRAINT TRIGGER trap AFTER UPDATE ON pg_boathouse.state DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION pg_trap.at_write();
"""
FIRST = """
CREATE TABLE one (a INTEGER, b VARCHAR, c INTEGER DEFAULT 3);
CREATE TABLE two (a INTEGER NOT NULL);
CREATE SCHEMA attic;
CREATE TABLE attic.chest (a INTEGER);
CREATE VIEW seen AS SELECT a FROM one;
CREATE MACRO twice(x) AS x * 2;
"""
SECOND = """
ALTER TABLE one ADD COLUMN d DOUBLE;
ALTER TABLE one DROP COLUMN c;
ALTER TABLE one RENAME COLUMN b TO "B b";
ALTER TABLE one ALTER COLUMN a TYPE BIGINT;
ALTER TABLE one RENAME TO three;
ALTER TABLE two RENAME TO one;
COMMENT ON TABLE one IS 'was two';
ALTER TABLE one ALTER COLUMN a DROP NOT NULL;
DROP SCHEMA attic CASCADE;
CREATE SCHEMA cellar;
CREATE TABLE cellar.wine (a INTEGER NOT NULL, b VARCHAR DEFAULT 'x');
CREATE OR REPLACE VIEW seen AS SELECT a, 1 AS n FROM one;
DROP MACRO twice;
CREATE MACRO thrice(x) AS x * 3;
"""
NOTHING = "DROP VIEW seen; DROP MACRO thrice; DROP SCHEMA cellar CASCADE; DROP TABLE one; DROP TABLE three;"
# What the trap does.
END, HOLD = "pg_terminate_backend(pg_backend_pid())", "pg_advisory_lock(1)"
# What the engine and PostgreSQL say of an ended connection.
ENDED = "terminating connection due to administrator command|server closed the connection|the connection to PostgreSQL was lost"


class Trap:
    def __init__(self, box: Box, action: str):
        self.connection = psycopg.connect(host=str(box.data_dir / "run"), port=box.catalog_port, user="boathouse", dbname="lake",
                                          autocommit=True)
        self.connection.execute(TRAP.replace("{action}", action))

    def set(self, step: int) -> None:
        self.connection.execute("SELECT setval('pg_trap.step', 1, false)")
        self.connection.execute("UPDATE pg_trap.armed SET step = %s", (step,))

    def hold(self) -> None:
        self.connection.execute("SELECT pg_advisory_lock(1)")

    def holds(self) -> bool:
        return self.connection.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'boathouse_mirror' "
                                       "AND wait_event_type = 'Lock' AND wait_event = 'advisory'").fetchone() == (1,)

    def let_go(self) -> None:
        self.connection.execute("SELECT pg_advisory_unlock(1)")

    def steps(self) -> int:
        """Since it was set."""
        last, has_run = self.connection.execute("SELECT last_value, is_called FROM pg_trap.step").fetchone()
        return last if has_run else 0


@pytest.fixture(scope="module")
def trap_box(boathouse):
    with running(boathouse) as box:
        yield box.pause_keeper()


def door_of(box: Box) -> psycopg.Connection:
    return psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake", autocommit=True)


def test_at_any_step(trap_box, duckdb_home):
    trap_box.expect(ENDED)
    with door_of(trap_box) as door, attached(trap_box, duckdb_home) as direct:
        direct.execute(FIRST)
        door.execute("SELECT 1 FROM pg_class").fetchone()
        trap = Trap(trap_box, END)

        def change(statements: str, step: int) -> int:
            """Changes the lake, and asks while the trap is set; how many steps were taken."""
            direct.execute(statements)
            trap.set(step)
            differing = differences(of_the_mirror(door), of_the_lake(direct))
            assert not differing, f"cut short at step {step}:\n" + "\n".join(differing)
            return trap.steps()

        there, back = change(SECOND, NEVER), change(NOTHING + FIRST, NEVER)
        assert there > 20 and back > 20
        last = max(there, back)
        for step in sorted({*range(1, last, EVERY), there, back}):
            assert change(SECOND, step) == (there + step if step <= there else there)
            assert change(NOTHING + FIRST, step) == (back + step if step <= back else back)


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def ask_in_vain(box: Box) -> None:
    with contextlib.suppress(psycopg.OperationalError), door_of(box) as door:
        door.execute("SELECT 1 FROM pg_class").fetchone()


def test_with_the_engine_killed_at_a_step(boathouse, duckdb_home):
    print(f"seed {KILL_SEED}")
    with running(boathouse, settings={"BOATHOUSE_ENGINE_RESTART_MAX": "100"}) as box, attached(box, duckdb_home) as direct:
        box.pause_keeper().expect(ENDED + "|the engine killed by signal 9|connection to client|unexpected EOF")
        direct.execute(FIRST)
        steps = []
        with door_of(box) as door:
            door.execute("SELECT 1 FROM pg_class").fetchone()
            trap = Trap(box, HOLD)
            for statements in (SECOND, NOTHING + FIRST):
                direct.execute(statements)
                trap.set(NEVER)
                door.execute("SELECT 1 FROM pg_class").fetchone()
                steps.append(trap.steps())
        there, back = steps
        seeded = random.Random(KILL_SEED)
        for statements, step in ((SECOND, seeded.randrange(1, there)), (NOTHING + FIRST, seeded.randrange(1, back)), (SECOND, there)):
            direct.execute(statements)
            trap.set(step)
            trap.hold()
            asking = threading.Thread(target=ask_in_vain, args=(box,))
            asking.start()
            wait_for(trap.holds, f"step {step}")
            trap.set(NEVER)
            engine = box.child("boathouse-engine")
            engine.kill()
            wait_for(lambda engine=engine: not engine.is_running(), "the engine's end")
            trap.let_go()
            asking.join()
            wait_for(box.is_ready, "another engine")
            with door_of(box) as door:
                differing = differences(of_the_mirror(door), of_the_lake(direct))
            assert not differing, f"the engine killed at step {step}:\n" + "\n".join(differing)
