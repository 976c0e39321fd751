"""tokio-postgres: the tests of this folder, run by their own language's test runner."""

from pathlib import Path

import pytest


@pytest.mark.timeout(900)  # the first time, downloads and compilers
def test_suite(rust, urls):
    rust.test(Path(__file__).parent, **urls)
