"""The box as a process: started, read, reloaded, stopped; as root, as process 1, under a service manager."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import duckdb
import psutil
import psycopg
import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")


def state_of(box) -> dict:
    return json.loads((box.data_dir / "run" / "state.json").read_text())


def wait_for(condition, what: str, timeout_seconds: float = 60) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, f"still waiting: {what}"
        time.sleep(0.02)


def attached(box, duckdb_home) -> duckdb.DuckDBPyConnection:
    client = duckdb.connect(config={"extension_directory": str(duckdb_home / ".duckdb" / "extensions")})
    client.execute(f"LOAD ducklake; ATTACH '{box.attach_string}' AS lake")
    return client


def test_says_what_to_copy_and_what_it_is(new_box):
    box = new_box()
    text = box.output()
    assert f"port={box.catalog_port} user=admin dbname=lakehouse' AS lake;" in text
    assert f"psql 'postgresql://admin@localhost:{box.sql_port}/lake'" in text
    assert f"curl http://localhost:{box.http_port}/readyz" in text
    assert box.password not in text
    state = state_of(box)
    assert state["phase"] == "ready"
    assert state["pid"] == box.pid
    assert state["postgres"]["pid"] == box.child("postgres").pid
    assert state["engine"]["pid"] == box.child("boathouse-engine").pid
    assert (state["catalog_port"], state["http_port"]) == (box.catalog_port, box.http_port)


def test_stops_in_order_and_starts_again(new_box, duckdb_home):
    box = new_box()
    client = attached(box, duckdb_home)
    client.execute("CREATE TABLE lake.kept AS SELECT range AS i FROM range(1000)")
    client.close()
    children = box.children()
    assert box.stop() == 0
    assert not [child for child in children if child.is_running()]
    assert state_of(box)["phase"] == "stopped"
    log = box.log()
    assert log.index("engine: stopped") < log.index("database system is shut down") < log.index("supervisor: stopped")
    assert "was interrupted" not in box.start().log(), "PostgreSQL had not been stopped cleanly"
    assert attached(box, duckdb_home).execute("SELECT count(*) FROM lake.kept").fetchone() == (1000,)


def test_second_signal_does_not_wait(new_box):
    box = new_box()
    engine = box.child("boathouse-engine")
    engine.suspend()  # it will not drain
    box.process.send_signal(signal.SIGTERM)
    wait_for(lambda: state_of(box)["phase"] == "stopping", "the first signal")
    assert engine.is_running()
    box.process.send_signal(signal.SIGINT)
    assert box.wait_exit() == 0
    assert not engine.is_running()


def test_runs_nothing_as_root(new_box):
    box = new_box()
    users = [psutil.Process(box.pid).uids(), *box.ask_children(psutil.Process.uids)]
    assert len(users) > 3
    owner = box.data_dir.stat().st_uid
    assert set(users) == {(owner, owner, owner)}
    assert owner == (os.geteuid() or owner) and owner != 0


@needs_root
def test_runs_from_a_closed_directory(new_box, boathouse, duckdb_prefix, tmp_path):
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    installed = boathouse.parent / "../libexec/boathouse/boathouse-engine"
    shutil.copy2(boathouse, closed)
    shutil.copy2(installed if installed.exists() else boathouse.parent / "boathouse-engine", closed)
    shutil.copytree(duckdb_prefix / "extensions", closed / "extensions")
    shutil.copytree(duckdb_prefix / "lib", closed / "lib")
    box = new_box(start=False, settings={"LD_LIBRARY_PATH": str(closed / "lib")})
    box.binary = closed / "boathouse"
    box.start()
    mapped = {Path(region.path) for region in box.child("boathouse-engine").memory_maps()}
    runtime = box.data_dir / "runtime"
    assert {runtime / "boathouse-engine", runtime / "lib" / "libduckdb.so"} <= mapped
    assert (runtime / "boathouse-engine").stat().st_uid == 0, "the box's user could change its own program"
    copied_at = (runtime / "lib" / "libduckdb.so").stat().st_ctime_ns
    box.restart()
    assert (runtime / "lib" / "libduckdb.so").stat().st_ctime_ns == copied_at, "copied again without need"


def test_keeps_secrets_from_others(new_box):
    box = new_box()
    for name in ("postgres", "run", "tls", "secrets", "tmp"):
        assert stat.S_IMODE((box.data_dir / name).stat().st_mode) == 0o700, name
    for words in [psutil.Process(box.pid).cmdline(), *box.ask_children(psutil.Process.cmdline)]:
        assert box.password not in " ".join(words)
    assert box.password not in box.log()
    assert stat.S_IMODE((box.data_dir / "tls" / "self-signed.key").stat().st_mode) == 0o600


def test_generates_a_password_and_shows_it_once(new_box):
    box = new_box(start=False)
    del box.environment["POSTGRES_PASSWORD"]
    box.start()
    path = box.data_dir / "secrets" / "postgres_password"
    password = path.read_text().strip()
    assert len(password) >= 20 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"password={password} " in box.output()
    assert password not in box.log()
    box.password = password
    with psycopg.connect(box.dsn) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("admin",)
    box.restart()
    assert password not in box.output() and str(path) in box.output()
    with psycopg.connect(box.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_superuser_has_no_door(new_box):
    box = new_box()
    box.expect("pg_hba.conf rejects connection")
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects connection"):
        psycopg.connect(host=box.host, port=box.catalog_port, user="boathouse", password="x", dbname=box.database)


@needs_root
def test_may_write_where_a_client_of_another_user_has_written(new_box, duckdb_home):
    box = new_box()
    client = attached(box, duckdb_home)
    client.execute("CREATE TABLE lake.t AS SELECT range AS i, range % 3 AS part FROM range(1000)")
    client.execute("CREATE TABLE lake.p (i BIGINT, part BIGINT)")
    client.execute("ALTER TABLE lake.p SET PARTITIONED BY (part)")
    client.execute("INSERT INTO lake.p SELECT * FROM lake.t")
    written = [Path(directory) for directory, _, files in os.walk(box.data_dir / "lake") if files]
    assert len(written) == 4 and {directory.stat().st_uid for directory in written} == {0}
    owner = box.data_dir.stat().st_uid
    touch = ["touch", *(directory / "probe" for directory in written)]
    wait_for(lambda: subprocess.run(touch, user=owner, capture_output=True).returncode == 0, "the box's right to write")
    assert set(box.ask_children(psutil.Process.uids)) == {(owner, owner, owner)}
    for capabilities in box.ask_children(lambda child: Path(f"/proc/{child.pid}/status").read_text()):
        assert "CapEff:\t0000000000000000" in capabilities and "CapPrm:\t0000000000000000" in capabilities


def make_certificate(directory: Path, name: str) -> None:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", directory / "server.key", "-out", directory / "server.crt", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},DNS:localhost"],
                   check=True, capture_output=True)
    (directory / "server.key").chmod(0o600)


def test_serves_tls_with_its_own_certificate(new_box):
    box = new_box()
    root = box.root / "root.crt"
    shutil.copy(box.data_dir / "tls" / "self-signed.crt", root)
    first = root.read_text()
    with psycopg.connect(box.dsn.replace(box.host, "localhost"), sslmode="verify-full", sslrootcert=root) as connection:
        protocol, = connection.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert protocol in ("TLSv1.2", "TLSv1.3")
    box.restart()
    assert (box.data_dir / "tls" / "self-signed.crt").read_text() == first
    with pytest.raises(psycopg.OperationalError, match=r"unsupported protocol|no protocols|alert|version"):
        psycopg.connect(box.dsn, sslmode="require", ssl_min_protocol_version="TLSv1", ssl_max_protocol_version="TLSv1.1")


def test_requires_tls_when_asked(new_box):
    box = new_box(settings={"BOATHOUSE_TLS": "require"})
    box.expect("pg_hba.conf rejects connection")
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(box.dsn, sslmode="disable")
    with psycopg.connect(box.dsn, sslmode="require") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_takes_a_given_certificate_and_renews_it_on_sighup(new_box):
    box = new_box(start=False)
    make_certificate(box.root, "first.example")
    box.environment |= {"BOATHOUSE_TLS_CERT_FILE": str(box.root / "server.crt"),
                        "BOATHOUSE_TLS_KEY_FILE": str(box.root / "server.key")}
    box.start()

    def is_served() -> bool:
        try:
            psycopg.connect(box.dsn.replace(box.host, "localhost"), sslmode="verify-full",
                            sslrootcert=box.root / "server.crt").close()
        except psycopg.OperationalError:
            return False
        return True

    assert is_served()
    make_certificate(box.root, "second.example")
    assert not is_served()
    if os.geteuid() == 0:
        box.expect("server.key: Permission denied")
        box.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "server.key: Permission denied" in box.log(), "word of a key that only root may read")
        assert "restart the box" in box.log()
        os.chown(box.root / "server.key", box.data_dir.stat().st_uid, -1)
    box.process.send_signal(signal.SIGHUP)
    wait_for(is_served, "the new certificate")


def test_tells_the_service_manager(new_box):
    box = new_box(start=False)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = str(box.root / "notify")
        manager.bind(path)
        os.chmod(path, 0o777)
        manager.settimeout(60)
        box.environment |= {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "500000"}
        box.spawn()
        heard = []
        while "WATCHDOG=1" not in heard or "READY=1" not in heard:
            heard.append(manager.recv(4096).decode())
        assert "STATUS=starting PostgreSQL" in heard
        box.process.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in heard:
            heard.append(manager.recv(4096).decode())
        assert box.wait_exit() == 0


def test_is_a_good_process_one(new_box):
    box = new_box(start=False)
    namespace = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        namespace += ["--user", "--map-current-user"]
    arguments = box.arguments()
    box.arguments = lambda: [*namespace, *arguments]
    box.start()
    supervisor, = psutil.Process(box.pid).children()
    assert state_of(box)["pid"] == 1
    # A process in the same namespace leaves an orphan behind, which process 1 inherits and must bury.
    inside = ["nsenter", "--target", str(supervisor.pid), "--pid"] + ([] if os.geteuid() == 0 else ["--user", "--preserve-credentials"])
    subprocess.run([*inside, "sh", "-c", "sleep 600 &"], check=True)

    def orphans() -> list[psutil.Process]:
        # A process that ends meanwhile has no name any more.
        return [child for child in psutil.process_iter(["name", "ppid"])
                if (child.info["name"], child.info["ppid"]) == ("sleep", supervisor.pid)]

    wait_for(orphans, "the orphan's adoption")
    orphans()[0].kill()
    wait_for(lambda: not orphans(), "the orphan's burial")
    supervisor.send_signal(signal.SIGTERM)
    assert box.wait_exit() == 0
    assert "supervisor: stopped" in box.log()
