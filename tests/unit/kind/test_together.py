"""Two pieces of work at once, and how they are told apart."""

import io
import threading
import time

import pytest
from rich.console import Console

from localcluster.errors import CommandFailedError, StoppedError
from localcluster.progress import Progress
from localcluster.together import both

DEADLINE_SECONDS = 10.0


def shown(output: io.StringIO) -> list[str]:
    return output.getvalue().splitlines()


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def progress(output: io.StringIO) -> Progress:
    return Progress(Console(file=output, highlight=False, soft_wrap=True))


def wait_for_stop(progress: Progress) -> None:
    with progress.step("patient") as step:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not step.stopped() and time.monotonic() < deadline:
            time.sleep(0.01)
        raise StoppedError("patient was stopped", "look beside it")


def fail() -> None:
    raise CommandFailedError("the disk is full", "free some space")


def test_both_run_at_the_same_time(progress: Progress) -> None:
    """Each waits for the other to have begun, which two that run one after the other never would."""
    meeting = threading.Barrier(2, timeout=DEADLINE_SECONDS)

    results = both(progress, lambda: (meeting.wait(), "first")[1], lambda: (meeting.wait(), 2)[1])

    assert results == ("first", 2)


@pytest.mark.parametrize("failing", ["first", "second"])
def test_a_failure_stops_the_other_and_is_the_one_that_is_told(progress: Progress, failing: str) -> None:
    """Not that the other was stopped: that is no news to whoever reads the error."""
    work = [fail, lambda: wait_for_stop(progress)]
    first, second = work if failing == "first" else reversed(work)

    with pytest.raises(CommandFailedError, match="the disk is full"):
        both(progress, first, second)


def test_nothing_begins_to_be_wanted_again_after_a_failure(progress: Progress) -> None:
    progress.stop()

    with progress.step("later") as step:
        assert step.stopped()


def test_in_a_log_each_line_says_which_step_it_is_about(output: io.StringIO) -> None:
    progress = Progress(Console(file=output, highlight=False, soft_wrap=True), quiet_seconds=0)
    with progress.step("Build") as build, progress.step("Fetch") as fetch:
        build.say("package 1")
        fetch.say("file 1")

    assert [line.rpartition(" (")[0] for line in shown(output)[:2]] == ["  Build: package 1", "  Fetch: file 1"]
    assert [line.rpartition(": ")[0] for line in shown(output)[2:]] == ["  Fetch", "  Build"]


def test_a_log_hears_of_a_busy_step_only_now_and_then(progress: Progress, output: io.StringIO) -> None:
    with progress.step("Build") as build:
        for number in range(1000):
            build.say(f"package {number}")

    assert len(shown(output)) == 1


def test_a_terminal_shows_a_line_for_each_step_that_runs() -> None:
    """One live display serves all: a second one beside it would be an error of the library that draws it."""
    output = io.StringIO()
    progress = Progress(Console(file=output, force_terminal=True, width=80, highlight=False))
    with progress.step("Build") as build, progress.step("Fetch") as fetch:
        build.say("package 1")
        fetch.say("file 1")
        deadline = time.monotonic() + DEADLINE_SECONDS
        while "Fetch: file 1" not in output.getvalue() and time.monotonic() < deadline:
            time.sleep(0.05)  # the display draws itself ten times a second

    assert "Build: package 1" in output.getvalue()
    assert "Fetch: file 1" in output.getvalue()
