"""pgbench in its three protocols, with scripts of its own: `pgbench -i` makes tables with primary keys, which a lake has not.

Nothing is timed here; what is checked is that every transaction went through, and what they left behind.
"""

import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CLIENTS, TRANSACTIONS = 3, 5


@pytest.fixture
def accounts(lake, new_table):
    new_table("pgbench_balances", "aid int, balance int")
    new_table("pgbench_movements", "aid int, delta int, seen timestamptz")
    lake.execute("INSERT INTO pgbench_balances SELECT i, 0 FROM range(100) AS t(i)")


def pgbench(door: dict, script: str, protocol: str) -> str:
    # Writers collide on a lake, so a transaction may have to be tried again: pgbench does so on 40001.
    done = subprocess.run(
        ["pgbench", "-n", "-M", protocol, "-c", str(CLIENTS), "-t", str(TRANSACTIONS), "-f", HERE / script,
         "--max-tries=1000", "-h", door["host"], "-p", str(door["port"]), "-U", door["user"], door["dbname"]],
        env={"PATH": "/usr/bin:/bin", "PGPASSWORD": door["password"]}, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "number of failed transactions: 0 " in done.stdout, done.stdout
    return done.stdout


@pytest.mark.parametrize(("script", "protocol"), [
    ("lookups.sql", "simple"), ("lookups.sql", "extended"), ("lookups.sql", "prepared"),
    ("pipeline.sql", "extended"), ("pipeline.sql", "prepared"),
])
def test_reads(door, accounts, script, protocol):
    output = pgbench(door, script, protocol)
    assert f"number of transactions actually processed: {CLIENTS * TRANSACTIONS}/{CLIENTS * TRANSACTIONS}" in output


@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
def test_transactions(door, lake, accounts, protocol):
    pgbench(door, "ledger.sql", protocol)
    balance, = lake.execute("SELECT sum(balance) FROM pgbench_balances").fetchone()
    deltas, count = lake.execute("SELECT sum(delta), count(*) FROM pgbench_movements").fetchone()
    assert (balance, count) == (deltas, CLIENTS * TRANSACTIONS)
