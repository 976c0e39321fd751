"""The mirror is derived: it may be dropped at any time, and a restart finds it as it was."""

import subprocess


def test_rebuild_makes_it_anew_under_connected_clients(boathouse, schema_box, lake):
    before = lake.execute("SELECT oid FROM pg_database WHERE datname = 'lake'").fetchone()
    # The clients' connections to the dropped database.
    schema_box.expect('terminating connection due to administrator command|database "lake" does not exist')
    subprocess.run([boathouse, "mirror", "rebuild", "--data-dir", schema_box.data_dir], check=True, timeout=240,
                   env=schema_box.environment)
    assert lake.execute("SELECT 'orders'::regclass::text").fetchone() == ("orders",)
    assert lake.execute("SELECT oid FROM pg_database WHERE datname = 'lake'").fetchone() != before
