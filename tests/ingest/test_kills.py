"""kill -9 under clients whose rows share commits: what was acknowledged is there exactly once, what was not at most once."""

import psutil
from box_process import BoxFailed
from gathering import counter, door_of, wait_for
from ledger import Ledger


def kill_under_load(box, victim: str) -> None:
    ledger = Ledger(door_of(box))
    try:
        for _ in range(2):
            ledger.wait_for_more(100)
            old = box.child(victim)
            old.kill()
            wait_for_another(box, victim, old.pid)
        ledger.wait_for_more(100)
    finally:
        ledger.close()
    ledger.check(door_of(box), box.dsn)
    assert counter(box, "batches_total") > counter(box, "by_extension_total"), "the extension wrote all of it"


def wait_for_another(box, name: str, old: int) -> None:
    def is_there() -> bool:
        try:
            return box.child(name).pid != old and box.is_ready()
        except (BoxFailed, psutil.Error, IndexError):  # between two processes
            return False

    wait_for(is_there, f"a new {name}")


def test_engine_killed_under_gathering_clients(new_box):
    box = new_box()
    box.expect("postgres: |engine|http: ")
    kill_under_load(box, "boathouse-engine")


def test_postgresql_killed_under_gathering_clients(new_box):
    box = new_box()
    box.expect("postgres: |PostgreSQL killed by signal 9|engine|http: |gateway: ")
    kill_under_load(box, "postgres")
