"""How often lists of an object had to be cleaned, so that two who want different things do not fight without end."""

import time
from collections.abc import Callable

from somamemory_operator.cluster.backoff import Backoff
from somamemory_operator.model.desired import Handover
from somamemory_operator.model.observed import Key

_CALM_SECONDS = 900.0
"""After so long without a repair the next one counts as the first."""
_FREE = 3  # repairs that follow each other at once
_MOST = 200  # repairs that are remembered


class Repairs:
    """The repairs of one SomaMemory's objects: some at once, then ever more seldom as long as they do not last.

    What counts is that the very same entries come back: a person who edits one field after the other is no fight.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._pauses = clock, Backoff(first=1.0, most=300.0)
        self._made: dict[Handed, tuple[int, float, float]] = {}

    def is_due(self, handover: Handover) -> bool:
        """Whether these entries may be taken out now."""
        _, _, due = self._made.get(_handed(handover), (0, 0.0, 0.0))
        return self._clock() >= due

    def made(self, handover: Handover) -> None:
        """Take note of a repair."""
        now, what = self._clock(), _handed(handover)
        count, last, _ = self._made.pop(what, (0, now, 0.0))
        count = 1 if now - last > _CALM_SECONDS else count + 1
        self._made[what] = (count, now, now + (self._pauses.delay(count - _FREE) if count > _FREE else 0.0))
        while len(self._made) > _MOST:
            del self._made[next(iter(self._made))]


Handed = tuple[Key, tuple[str, ...]]


def _handed(handover: Handover) -> Handed:
    return handover.key, handover.entries
