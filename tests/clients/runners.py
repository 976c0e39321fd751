"""Runs a block of a page with the real client that it is written for, in a process of its own; or a folder of tests in
another language, with that language's own test runner.

Each function gives the process's standard output and raises AssertionError with everything it wrote when it fails. `home`
is the client's HOME, where DuckDB finds its extensions and secrets. What has to be downloaded or compiled (Go modules,
npm packages, jars) is kept in the cache under clients/, so that a second run needs neither network nor compiler.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat

RUN_TIMEOUT_SECONDS = 120
BUILD_TIMEOUT_SECONDS = 900  # the first time: downloads, and a cold compiler's cache


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a client: its HOME, and the tests' own Python and DuckDB CLI first in PATH."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "AWS_", "DUCKDB"))}
    return {**inherited, "HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **more}


def run(command: list, home: Path, timeout: float = RUN_TIMEOUT_SECONDS, cwd: Path | None = None, stdin: str = "",
        **more: str) -> str:
    """Runs a command to its end; its standard output."""
    done = subprocess.run(command, env=environment(home, **more), cwd=cwd, input=stdin, text=True, capture_output=True,
                          timeout=timeout)
    assert done.returncode == 0, (f"{command[0]} ended with {done.returncode}\n--- output\n{done.stdout}\n"
                                  f"--- errors\n{done.stderr}")
    return done.stdout


def shell(text: str, home: Path, **options) -> str:
    """A bash block, line by line as a reader would type it."""
    return run(["bash", "-euo", "pipefail", "-c", text], home, **options)


def python(text: str, home: Path) -> str:
    return run([sys.executable, "-"], home, stdin=text)


def duckdb_cli(text: str, home: Path, command: str = "duckdb") -> str:
    """SQL typed into the DuckDB CLI, which stops at the first error."""
    return run([*command.split(), "-bail", "-csv"], home, stdin=text)


def notebook(text: str, home: Path) -> str:
    """A notebook of one cell, executed headless; the texts of its outputs."""
    cell = nbformat.v4.new_code_cell(text)
    book = nbformat.v4.new_notebook(cells=[cell])
    client = nbclient.NotebookClient(book, timeout=RUN_TIMEOUT_SECONDS, kernel_name="python3")
    client.execute(env=environment(home, PLOOMBER_STATS_ENABLED="false", IPYTHONDIR=str(home / ".ipython"),
                                   JUPYTER_PLATFORM_DIRS="1"))
    outputs = []
    for output in book.cells[0].outputs:
        outputs.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(outputs)


class Go:
    """A Go that is new enough, its module cache and build directories in the cache.

    Debian 12's own Go is 1.19, older than the driver asks for; then the toolchain comes through the module proxy, as
    newer Go commands do it by themselves.
    """

    toolchain = "golang.org/toolchain@v0.0.1-go1.25.5.linux-amd64"
    oldest = (1, 24)

    def __init__(self, cache: Path):
        self.directory = cache / "clients" / "go"
        self.directory.mkdir(parents=True, exist_ok=True)
        self._modules = self.directory / "modules"
        offline = f"file://{self._modules}/cache/download"
        proxy = self._setting("GOPROXY")
        self._environment = {"GOMODCACHE": str(self._modules), "GOCACHE": str(self.directory / "build"),
                             "GOPROXY": f"{offline},{proxy}", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod -modcacherw"}
        self._bin = self._find()

    def _setting(self, name: str) -> str:
        return run(["go", "env", name], Path.home()).strip()

    def _find(self) -> Path:
        version = re.match(r"go(\d+)\.(\d+)", self._setting("GOVERSION"))
        if version and tuple(map(int, version.groups())) >= self.oldest:
            return Path(shutil.which("go")).resolve().parent
        root = self.directory / self.toolchain.rsplit("-go", 1)[1]
        if not root.exists():
            run(["go", "mod", "download", self.toolchain], Path.home(), timeout=BUILD_TIMEOUT_SECONDS, GO111MODULE="on",
                GOMODCACHE=str(self._modules), GOFLAGS="-modcacherw")
            staging = root.with_name(f"{root.name}.new")
            shutil.rmtree(staging, ignore_errors=True)
            shutil.copytree(self._modules / self.toolchain, staging)
            for program in [*staging.glob("bin/*"), *staging.glob("pkg/tool/*/*")]:
                program.chmod(0o755)
            staging.rename(root)
        return root / "bin"

    def run(self, get: str, text: str, home: Path, build: str = "go build", **more: str) -> str:
        """`get` (a page's go get line) in a module of its own, `text` as main.go, `build`, then the program."""
        project = self.directory / f"project-{hashlib.sha256(get.encode()).hexdigest()[:16]}"
        project.mkdir(exist_ok=True)
        options = {"cwd": project, "timeout": BUILD_TIMEOUT_SECONDS, "PATH": f"{self._bin}:{os.environ['PATH']}",
                   "CGO_ENABLED": "1", **self._environment, **more}
        if not (project / "go.mod").exists():
            shell("go mod init example.com/customers", home, **options)
        (project / "main.go").write_text(text)
        shell(get, home, **options)
        shell(f"{build.strip()} -o program", home, **options)
        return run([project / "program"], home)

    def test(self, folder: Path, home: Path, **more: str) -> str:
        """`go test` in a folder that has a go.mod and a go.sum."""
        options = self._environment | {"GOFLAGS": "-mod=readonly -modcacherw", "PATH": f"{self._bin}:{os.environ['PATH']}"}
        return run(["go", "test", "-count=1", "./..."], home, cwd=folder, timeout=BUILD_TIMEOUT_SECONDS, **options, **more)


class Java:
    """The JDK, and the jars that a page's Maven dependency names."""

    def __init__(self, cache: Path):
        self.directory = cache / "clients" / "java"
        self.directory.mkdir(parents=True, exist_ok=True)

    def _jars(self, pom: str) -> Path:
        jars = self.directory / f"jars-{hashlib.sha256(pom.encode()).hexdigest()[:16]}"
        if not jars.exists():
            project = self.directory / "project"
            project.mkdir(exist_ok=True)
            (project / "pom.xml").write_text(pom)
            staging = jars.with_name(f"{jars.name}.new")
            run(["mvn", "--batch-mode", "--quiet", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies",
                 f"-DoutputDirectory={staging}"], Path.home(), cwd=project, timeout=BUILD_TIMEOUT_SECONDS)
            staging.rename(jars)
        return jars

    def run(self, dependency: str, text: str, home: Path, *arguments: str, **more: str) -> str:
        """`text` as one source file, with the dependency on the class path. `more`: environment."""
        source = home / "Main.java"
        source.write_text(text)
        pom = ("<project><modelVersion>4.0.0</modelVersion><groupId>com.example</groupId>"
               f"<artifactId>customers</artifactId><version>1</version><dependencies>{dependency}</dependencies></project>")
        return run(["java", f"-Duser.home={home}", "-cp", f"{self._jars(pom)}/*", source, *arguments], home, **more)

    def test(self, folder: Path, home: Path, **more: str) -> str:
        """JUnit's console over the classes of a folder that has a pom.xml, which names the console among its
        dependencies."""
        jars = self._jars((folder / "pom.xml").read_text())
        sources = sorted(folder.glob("*.java"))
        text = b"".join(source.read_bytes() for source in sources)
        classes = self.directory / f"classes-{hashlib.sha256(text + str(jars).encode()).hexdigest()[:16]}"
        if not classes.exists():
            staging = classes.with_name(f"{classes.name}.new")
            shutil.rmtree(staging, ignore_errors=True)
            run(["javac", "-Xlint:all,-processing", "-Werror", "-cp", f"{jars}/*", "-d", staging, *sources], home)
            staging.rename(classes)
        return run(["java", f"-Duser.home={home}", "-cp", f"{classes}:{jars}/*", "org.junit.platform.console.ConsoleLauncher",
                    "execute", "--disable-banner", f"--scan-class-path={classes}"], home, cwd=folder, **more)


class Node:
    """Node.js, and the packages that a page's npm line installs."""

    def __init__(self, cache: Path):
        self.directory = cache / "clients" / "node"

    def run(self, install: str, text: str, home: Path) -> str:
        """`install` (a page's npm install line) in a package of its own, then `text`."""
        project = self.directory / hashlib.sha256(install.encode()).hexdigest()[:16]
        if not (project / ".installed").exists():
            project.mkdir(parents=True, exist_ok=True)
            (project / "package.json").write_text('{"private": true}')
            shell(install, Path.home(), cwd=project, timeout=BUILD_TIMEOUT_SECONDS)
            (project / ".installed").touch()
        program = project / "program.js"
        program.write_text(text)
        return run(["node", program], home)

    def test(self, folder: Path, home: Path, **more: str) -> str:
        """Node's own test runner over the *.test.js of a folder that has a package.json and a package-lock.json."""
        lock = (folder / "package-lock.json").read_bytes()
        project = self.directory / f"suite-{hashlib.sha256(lock).hexdigest()[:16]}"
        if not (project / ".installed").exists():
            project.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(folder / name, project / name)
            run(["npm", "ci", "--no-audit", "--no-fund"], Path.home(), cwd=project, timeout=BUILD_TIMEOUT_SECONDS)
            (project / ".installed").touch()
        return run(["node", "--test", *sorted(folder.glob("*.test.js"))], home, cwd=folder,
                   NODE_PATH=str(project / "node_modules"), **more)


class Rust:
    """Cargo, with its registry and what it builds in the cache."""

    def __init__(self, cache: Path):
        self.directory = cache / "clients" / "rust"
        self.directory.mkdir(parents=True, exist_ok=True)

    def test(self, folder: Path, **more: str) -> str:
        """`cargo test` in a folder that has a Cargo.toml and a Cargo.lock. Its HOME is the user's own: a toolchain that
        was installed by rustup is found there."""
        return run(["cargo", "test", "--locked", "--quiet"], Path.home(), cwd=folder, timeout=BUILD_TIMEOUT_SECONDS,
                   CARGO_HOME=str(self.directory / "home"), CARGO_TARGET_DIR=str(self.directory / "target"),
                   CARGO_TERM_COLOR="never", **more)
