"""Long commands: watched, logged, and ended in time."""

from pathlib import Path

import pytest

from localcluster.errors import CommandFailedError, StoppedError
from localcluster.streaming import stream


class Watched:
    """A step that keeps what it is told, and is no longer wanted once it heard `enough`."""

    def __init__(self, enough: str = "") -> None:
        self.told: list[str] = []
        self._enough = enough

    def say(self, detail: str) -> None:
        self.told.append(detail)

    def stopped(self) -> bool:
        return self._enough in self.told


def test_every_line_is_logged_and_told(tmp_path: Path) -> None:
    step = Watched()
    stream(["sh", "-c", "echo one; echo two >&2"], log=tmp_path / "log", step=step, seconds=10)

    assert step.told == ["one", "two"]
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_a_failure_shows_the_last_lines_and_names_the_log(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match=r"(?s)ended with 3.*no space left.*read .*log"):
        stream(["sh", "-c", "echo no space left; exit 3"], log=tmp_path / "log", step=Watched(), seconds=10)


def test_a_missing_program_is_named_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="apt-get install no-such-builder"):
        stream(["no-such-builder"], log=tmp_path / "log", step=Watched(), seconds=10)


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="took longer than 0 s"):
        stream(["sh", "-c", "sleep 300 & wait"], log=tmp_path / "log", step=Watched(), seconds=0.2)


def test_a_command_that_is_no_longer_wanted_is_ended_while_it_is_silent(tmp_path: Path) -> None:
    """A build whose neighbour failed must not go on for minutes, whether or not it prints anything."""
    with pytest.raises(StoppedError, match="was stopped"):
        stream(["sh", "-c", "echo begun; sleep 300"], log=tmp_path / "log", step=Watched("begun"), seconds=60)


def test_a_command_may_tidy_up_before_it_ends(tmp_path: Path) -> None:
    """What makes file systems has mounts to undo: it is asked to end, and killed only if it does not."""
    script = f"trap 'touch {tmp_path}/tidy; exit 1' TERM; echo begun; while true; do sleep 0.05; done"
    with pytest.raises(StoppedError):
        stream(["sh", "-c", script], log=tmp_path / "log", step=Watched("begun"), seconds=60)

    assert (tmp_path / "tidy").exists()


def test_a_command_sees_the_environment_that_it_is_given(tmp_path: Path) -> None:
    step = Watched()
    stream(["/bin/sh", "-c", "echo $WORD"], log=tmp_path / "log", step=step, seconds=10, env={"WORD": "given"})

    assert step.told == ["given"]
