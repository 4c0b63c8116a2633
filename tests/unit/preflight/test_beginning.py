"""The look at the machine comes before everything else, and needs nothing that would have to be installed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from localcluster.choose import Facts as Choice
from localcluster.paths import KIND
from preflight.expectation import expectation
from preflight.facts import Facts
from preflight.targets import TARGETS

MAKEFILE = (KIND.parent / "Makefile").read_text()
SHELL = KIND / "preflight.sh"


def test_it_runs_on_a_python_without_any_package() -> None:
    """It comes before the virtual environment."""
    command = [sys.executable, "-S", "-c", "import preflight.__main__"]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(KIND)}, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_begins_with_it(target: str) -> None:
    rule = re.search(rf"^{target}: (?!export)(\S+)", MAKEFILE, re.MULTILINE)

    assert rule
    assert rule[1] == f"ready-{target}"


def test_without_a_python_for_it_the_shell_names_what_is_needed(tmp_path: Path) -> None:
    """Also the rest, so that nobody installs Python only to be told of the next thing."""
    for program in ("bash", "dirname", "id", "sed", "sort", "tr"):
        found = subprocess.run(
            ["which", program], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
        (tmp_path / program).symlink_to(found)
    done = subprocess.run(
        ["bash", str(SHELL), "no-such-python", "up"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    for words in ("`make up` cannot begin", "Python 3.11", "Go is missing", "buildah", "containerd"):
        assert words in done.stderr


def test_the_time_that_it_will_take_is_told_at_the_start() -> None:
    cold = Facts(Choice(), compiles=True, images=6)

    assert "compiling Kubernetes and building 6 images" in expectation(cold, 2)
    minutes = [int(found[1]) for cores in (2, 8) if (found := re.search(r"(\d+) minutes", expectation(cold, cores)))]
    assert minutes[0] > minutes[1] > 0


def test_nothing_is_told_when_there_is_nothing_to_build() -> None:
    assert expectation(Facts(Choice(), compiles=False, images=0), 2) == ""
