"""What a box refuses to start on: each says what is wrong, where, and what to do, and leaves everything as it was."""

import os
import shutil
import socket
import subprocess

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system, or being someone else, takes root")

CONFIGURATION = 78


def refusal(box) -> tuple[int, str]:
    """Starts a box that must not start: its exit code and its one error line."""
    box.expect(" supervisor: ")
    box.spawn()
    code = box.wait_exit()
    errors = [line for line in box.log().splitlines() if " error " in line]
    assert len(errors) == 1, box.log()
    assert not (box.data_dir / "postgres.new").exists()
    return code, errors[0]


@pytest.fixture
def mount(request):
    """Mounts a tmpfs with the options on a directory until the test is over."""
    def make(directory, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory], check=True)
        request.addfinalizer(lambda: subprocess.run(["umount", "--lazy", directory], check=True))
    return make


@pytest.mark.parametrize("door", ["catalog", "sql", "http"])
def test_port_taken(new_box, door):
    box = new_box(start=False)
    with socket.create_server((box.host, getattr(box, f"{door}_port"))) as server:
        code, error = refusal(box)
        port = server.getsockname()[1]
    assert code == 1
    assert f"port {port} ({door if door == 'catalog' else door.upper()}) is taken by process {os.getpid()} (" in error
    assert f"--{door}-port" in error
    assert not (box.data_dir / "postgres").exists(), "something had been started before the ports were looked at"


def test_all_taken_ports_are_named_at_once(new_box):
    box = new_box(start=False)
    with socket.create_server((box.host, box.catalog_port)), socket.create_server((box.host, box.http_port)):
        _, error = refusal(box)
    assert f"port {box.catalog_port} (catalog)" in error and f"port {box.http_port} (HTTP)" in error


def test_address_of_another_machine(new_box):
    box = new_box(start=False)
    box.host = "192.0.2.1"  # TEST-NET-1, RFC 5737
    code, error = refusal(box)
    assert code == CONFIGURATION
    assert "cannot listen on '192.0.2.1'" in error


def test_second_box_on_the_same_directory(new_box):
    box = new_box()
    second = new_box(start=False)
    second.data_dir = box.data_dir
    code, error = refusal(second)
    assert code == 1
    assert f"another box runs on the data directory {box.data_dir} (process {box.pid})" in error
    box.wait_ready()
    assert box.child("postgres").is_running(), "the first box noticed"


@pytest.mark.parametrize("format_number", ["0", "2"])
def test_data_directory_of_another_format(new_box, format_number):
    box = new_box(start=False)
    (box.data_dir / "boathouse.version").write_text(f"{format_number}\n")
    code, error = refusal(box)
    assert code == CONFIGURATION
    assert f"has format {format_number}, and this Boathouse reads format 1" in error
    assert (box.data_dir / "boathouse.version").read_text() == f"{format_number}\n"


def test_malformed_format(new_box):
    box = new_box(start=False)
    (box.data_dir / "boathouse.version").write_bytes(b"\xff\xfe")
    code, error = refusal(box)
    assert code == 1
    assert "boathouse.version does not hold a format number" in error


def test_directory_that_is_not_ours(new_box):
    box = new_box(start=False)
    (box.data_dir / "holiday.jpg").write_text("")
    code, error = refusal(box)
    assert code == CONFIGURATION
    assert f"{box.data_dir} is not a Boathouse data directory and not empty: it holds 'holiday.jpg'" in error
    assert box.data_dir.stat().st_uid == os.geteuid(), "a foreign directory was given away"
    assert [entry.name for entry in box.data_dir.iterdir()] == ["holiday.jpg"]


def test_file_in_place_of_the_directory(new_box):
    box = new_box(start=False)
    box.data_dir = box.root / "box.toml"
    box.data_dir.write_text("")
    _, error = refusal(box)
    assert str(box.data_dir) in error


def test_cluster_of_another_postgresql(new_box):
    box = new_box()
    box.stop()
    version = box.data_dir / "postgres" / "PG_VERSION"
    version.write_text("13\n")
    code, error = refusal(box)
    assert code == CONFIGURATION
    assert "cluster was made by PostgreSQL 13" in error and "only others were found: " in error
    assert "postgresql-13" in error and "--pg-bin" in error


def test_cluster_without_its_version(new_box):
    box = new_box(start=False)
    (box.data_dir / "postgres").mkdir()
    (box.data_dir / "postgres" / "base").write_text("")
    code, error = refusal(box)
    assert code == 1
    assert f"{box.data_dir}/postgres exists but holds no PostgreSQL cluster" in error


def test_pg_bin_without_postgresql(new_box):
    box = new_box(start=False, flags=["--pg-bin", "/usr/share"])
    code, error = refusal(box)
    assert code == CONFIGURATION
    assert "no PostgreSQL was found in --pg-bin /usr/share" in error


@needs_root
def test_read_only_data_directory(new_box, mount):
    box = new_box(start=False)
    mount(box.data_dir, "size=1m,mode=755,ro")
    code, error = refusal(box)
    assert code == 1
    assert f"cannot write to the data directory {box.data_dir}: Read-only file system" in error
    assert "mount it read-write" in error


@needs_root
def test_full_disk(new_box, mount):
    box = new_box(start=False)
    mount(box.data_dir, "size=20m,mode=755")
    code, error = refusal(box)
    assert code == 1
    assert f"the disk of the data directory {box.data_dir} is full: 20 MB are free, and 160 MB are needed" in error


@needs_root
def test_data_directory_of_someone_else(new_box):
    box = new_box(start=False)
    refused = subprocess.run(box.arguments(), env=box.environment, cwd=box.root, user="nobody", group="nogroup",
                             extra_groups=[], capture_output=True, text=True)
    assert refused.returncode == CONFIGURATION
    assert f"the data directory {box.data_dir} belongs to user 'root', and the box was started by 'nobody'" in refused.stderr
    assert list(box.data_dir.iterdir()) == []


@needs_root
def test_data_directory_behind_a_closed_one(new_box):
    box = new_box(start=False)
    box.root.chmod(0o700)
    code, error = refusal(box)
    assert code == CONFIGURATION
    assert f"cannot reach the data directory {box.data_dir}: {box.root} is closed to it" in error
    assert "--run-as" in error


@needs_root
@pytest.mark.parametrize("user, complaint", [("root", "PostgreSQL refuses to run as root"),
                                             ("no-such-user", "who does not exist on this machine")])
def test_user_that_cannot_run_a_box(new_box, user, complaint):
    box = new_box(start=False, flags=["--run-as", user])
    code, error = refusal(box)
    assert code == CONFIGURATION
    assert complaint in error


def certificate(directory, days: str = "2") -> None:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", directory / "server.key", "-out", directory / "server.crt", "-days", days,
                    "-subj", "/CN=localhost"], check=True, capture_output=True)
    (directory / "server.key").chmod(0o600)


@pytest.mark.parametrize("damage, complaint", [
    (lambda d: (d / "server.crt").write_text("not a certificate"), "server.crt holds no certificate in PEM form"),
    (lambda d: (d / "server.key").write_text("not a key"), "server.key holds no private key in PEM form"),
    (lambda d: (shutil.copy(d / "server.crt", d / "kept"), certificate(d), shutil.copy(d / "kept", d / "server.crt")),
     "server.key is not the key of the certificate"),
    (lambda d: (d / "server.key").unlink(), "server.key cannot be read: No such file or directory"),
], ids=["certificate", "key", "pair", "missing"])
def test_certificate_that_cannot_be_served(new_box, tmp_path, damage, complaint):
    certificate(tmp_path)
    damage(tmp_path)
    box = new_box(start=False, settings={"BOATHOUSE_TLS_CERT_FILE": str(tmp_path / "server.crt"),
                                         "BOATHOUSE_TLS_KEY_FILE": str(tmp_path / "server.key")})
    box.expect(".")
    box.spawn()
    assert box.wait_exit() == CONFIGURATION
    assert complaint in box.log()
    assert not (box.data_dir / "postgres").exists()
