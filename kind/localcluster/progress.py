"""Shows what a long step is doing: one live line on a terminal, an occasional line in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.status import Status

QUIET_SECONDS = 15.0


class Step(Protocol):
    """A step that is under way."""

    def say(self, detail: str) -> None:
        """Show where the step stands."""


class LogStep:
    """Writes at most one line every `QUIET_SECONDS`."""

    def __init__(self, title: str, started: float) -> None:
        self._title = title
        self._started = started
        self._spoken = started

    def say(self, detail: str) -> None:
        """Show where the step stands, unless something was shown just now."""
        now = time.monotonic()
        if now - self._spoken >= QUIET_SECONDS:
            self._spoken = now
            print(f"  {self._title}: {detail} ({now - self._started:.0f} s)", flush=True)


class LiveStep:
    """Rewrites one line of the terminal."""

    def __init__(self, title: str, started: float, status: Status) -> None:
        self._title = title
        self._started = started
        self._status = status

    def say(self, detail: str) -> None:
        """Show where the step stands."""
        self._status.update(f"{self._title}: {detail} ({time.monotonic() - self._started:.0f} s)")


class Progress:
    """Prints the steps of `up`, each with the time that it took."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stdout, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Print one line."""
        self._console.print(text, markup=False)
        self._console.file.flush()

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show `title` while the block runs, and its duration afterwards."""
        started = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(title) as status:
                yield LiveStep(title, started, status)
        else:
            yield LogStep(title, started)
        self.note(f"  {title}: {time.monotonic() - started:.1f} s")
