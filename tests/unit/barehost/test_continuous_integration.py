"""What CI runs, with a `make` that only writes down what it is asked for."""

import os
import subprocess
from pathlib import Path

import pytest

from localcluster.paths import KIND

SCRIPT = KIND.parent / ".ci/run"
MAKE = """#!/bin/sh
echo "$1" >> "$ASKED"
case "$1" in $FAILING) exit 7 ;; *) exit 0 ;; esac
"""


def run(folder: Path, failing: str) -> tuple[list[str], int]:
    """Return what was asked for, and how it ended."""
    make = folder / "make"
    make.write_text(MAKE)
    make.chmod(0o755)
    asked = folder / "asked"
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "ASKED": str(asked), "FAILING": failing}
    done = subprocess.run(["bash", str(SCRIPT)], env=environment, timeout=60, check=False)
    return asked.read_text().split(), done.returncode


def test_the_bare_machine_comes_first_then_the_tests_then_the_end_of_the_cluster(tmp_path: Path) -> None:
    """First, because only then is nothing built yet."""
    assert run(tmp_path, "nothing") == (["bare-up", "test", "down"], 0)


@pytest.mark.parametrize("failing", ["bare-up", "test", "down"])
def test_nothing_is_left_out_after_a_failure_and_the_failure_is_told(tmp_path: Path, failing: str) -> None:
    assert run(tmp_path, failing) == (["bare-up", "test", "down"], 7)
