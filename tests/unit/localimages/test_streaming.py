"""Long commands: watched, logged, and ended in time."""

from pathlib import Path

import pytest

from localcluster.errors import CommandFailedError
from localimages.streaming import stream


def test_every_line_is_logged_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    stream(["sh", "-c", "echo one; echo two >&2"], log=tmp_path / "log", say=told.append, seconds=10)

    assert told == ["one", "two"]
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_a_failure_shows_the_last_lines_and_names_the_log(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match=r"(?s)ended with 3.*no space left.*read .*log"):
        stream(["sh", "-c", "echo no space left; exit 3"], log=tmp_path / "log", say=print, seconds=10)


def test_a_missing_program_is_named_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="apt-get install no-such-builder"):
        stream(["no-such-builder"], log=tmp_path / "log", say=print, seconds=10)


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="took longer than 0 s"):
        stream(["sh", "-c", "sleep 300 & wait"], log=tmp_path / "log", say=print, seconds=0.2)
