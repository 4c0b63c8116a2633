"""Shows what long steps are doing, several at once: live lines on a terminal, an occasional line in a log."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.status import Status

QUIET_SECONDS = 15.0
LONGEST_DETAIL = 100


class Step(Protocol):
    """A step that is under way."""

    def say(self, detail: str) -> None:
        """Show where the step stands."""

    def stopped(self) -> bool:
        """Say whether the step is no longer wanted, because one beside it failed."""


class Progress:
    """Prints the steps of `up`, each with the time that it took. Threads may share it."""

    def __init__(self, console: Console | None = None, *, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._console = console or Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._quiet_seconds = quiet_seconds
        self._lock = threading.Lock()
        self._running: list[_Running] = []
        self._status: Status | None = None
        self._stop = threading.Event()

    def note(self, text: str) -> None:
        """Print one line."""
        with self._lock:
            self._console.print(text, markup=False)
            self._console.file.flush()

    def stop(self) -> None:
        """Ask every step, now and later, to end early."""
        self._stop.set()

    def stopped(self) -> bool:
        """Say whether the steps are no longer wanted."""
        return self._stop.is_set()

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show `title` while the block runs, and its duration afterwards."""
        running = _Running(title, self)
        self._show(begun=running)
        try:
            yield running
        finally:
            self._show(ended=running)
        self.note(f"  {title}: {running.seconds():.1f} s")

    def said(self, running: "_Running") -> None:
        """Show that a step got on: at once on a terminal, in a log only now and then."""
        if self._console.is_terminal:
            self._show()
        elif running.is_due(self._quiet_seconds):
            self.note(f"  {running.line()}")

    def _show(self, *, begun: "_Running | None" = None, ended: "_Running | None" = None) -> None:
        with self._lock:
            self._running = [*(one for one in self._running if one is not ended), *([begun] if begun else [])]
            if not self._console.is_terminal:
                return
            text = "\n  ".join(one.line() for one in self._running)
            if self._status is None:
                self._status = self._console.status(text)
                self._status.start()
            elif text:
                self._status.update(text)
            else:
                self._status.stop()
                self._status = None


class _Running:
    """One step: its title and the last that it said."""

    def __init__(self, title: str, progress: Progress) -> None:
        self._title = title
        self._progress = progress
        self._detail = ""
        self._started = self._spoken = time.monotonic()

    def say(self, detail: str) -> None:
        """Show where the step stands."""
        self._detail = detail.strip()[:LONGEST_DETAIL]
        self._progress.said(self)

    def stopped(self) -> bool:
        """Say whether the step is no longer wanted."""
        return self._progress.stopped()

    def seconds(self) -> float:
        """Return how long it runs."""
        return time.monotonic() - self._started

    def line(self) -> str:
        """Return one line about it."""
        return f"{self._title}: {self._detail} ({self.seconds():.0f} s)" if self._detail else self._title

    def is_due(self, quiet_seconds: float) -> bool:
        """Say whether a log should hear of it again, and take it as told."""
        now = time.monotonic()
        if now - self._spoken < quiet_seconds:
            return False
        self._spoken = now
        return True
