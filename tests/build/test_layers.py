"""scripts/layers finds each kind of violation, and lets a clean tree pass."""

import subprocess

import pytest

CLEAN = {
    "src/CMakeLists.txt": "add_subdirectory(base)\nadd_subdirectory(engine)\nadd_subdirectory(cli)\n",
    "src/base/log.hpp": "// Writes the log.\n#pragma once\n",
    "src/engine/lake.cpp": '#include "base/log.hpp"\n#include <duckdb.hpp>\n',
    "src/cli/serve.cpp": '#include "engine/lake.hpp"\n',
    "src/main.cpp": '#include "cli/serve.hpp"\n',
}


@pytest.fixture
def layers(repository, tmp_path):
    """A function that writes files into a tree and runs the check on it: exit code and output."""

    def run(files: dict[str, str]) -> tuple[int, str]:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([repository / "scripts" / "layers", tmp_path], capture_output=True, text=True)
        return done.returncode, done.stdout

    return run


def test_a_clean_tree_passes(layers):
    assert layers(CLEAN) == (0, "layers: every rule holds\n")


@pytest.mark.parametrize("name, text, complaint", [
    ("src/base/clock.cpp", '\n#include "engine/lake.hpp"\n',
     "src/base/clock.cpp:2: base/ may not include engine/lake.hpp"),
    ("src/cli/shell.cpp", "#include <duckdb.hpp>\n", "src/cli/shell.cpp:1: duckdb.hpp may be included in src/engine/ only"),
    ("src/cli/shell.cpp", '#include "duckdb/main/config.hpp"\n', "may be included in src/engine/ only"),
    ("src/main.cpp", "#include <duckdb.hpp>\n", "src/main.cpp:1: duckdb.hpp may be included in src/engine/ only"),
    ("src/cache/result.cpp", "", "src/cache/ is not in src/CMakeLists.txt"),
    ("src/cli/common/text.cpp", "", "'common' says nothing of what is in it"),
    ("tests/box_utils.py", "", "'box_utils.py' says nothing of what is in it"),
    ("src/base/clock.hpp", "// Tells the time.\n", "lacks #pragma once"),
    ("src/base/clock.hpp", "#pragma once\n", "a header opens with prose"),
    ("docs/install.md", "cd /" + "root/boathouse\n", "is a directory of one machine"),
])
def test_each_violation_is_found(layers, name, text, complaint):
    code, output = layers(CLEAN | {name: text})
    assert code == 1
    assert complaint in output


def test_a_long_file_is_shown_and_does_not_fail(layers):
    code, output = layers(CLEAN | {"src/cli/serve.cpp": "\n" * 501})
    assert code == 0
    assert "src/cli/serve.cpp: 501 lines" in output
