"""Waiting for a server that is away costs each caller seconds: while it is away, one waits and the others are told."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from somafractalmemory.errors import Unavailable


class Circuit:
    """Closed while the server answers. Open, it lets one caller through at a time, and refuses all others at once."""

    def __init__(self, component: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._component = component
        self._clock = clock
        self._open = False
        self._asking = False
        self._answered_at = float("-inf")

    @contextmanager
    def call(self) -> Iterator["Call"]:
        """Around one use of the server. Raises Unavailable at once while another caller already waits for it."""
        if self._open and self._asking:
            raise Unavailable(self._component, "it is away; a connection is being waited for", retry_after_seconds=1.0)
        probing = self._asking = self._open
        try:
            yield Call(self, self._clock())
        finally:
            if probing:
                self._asking = False

    def answered(self) -> None:
        """It is there."""
        self._open = False
        self._answered_at = self._clock()

    def silent_since(self, started: float) -> None:
        """Nothing came since then; others who were answered meanwhile prove that it is only busy."""
        if self._answered_at < started:
            self._open = True


class Call:
    """One use of the server."""

    def __init__(self, circuit: Circuit, started: float) -> None:
        self._circuit = circuit
        self._started = started

    def answered(self) -> None:
        """The server did something."""
        self._circuit.answered()

    def silent(self) -> None:
        """No connection came."""
        self._circuit.silent_since(self._started)
