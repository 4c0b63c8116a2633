"""Whether Kopf still hears everything: its heartbeat.

A watcher of Kopf that has died is neither restarted nor reported by it. So what it told us is compared with what there
is: a version of a SomaMemory that was seen in a list and not heard of for a minute means that Kopf is deaf.
"""

import time
from collections.abc import Callable, Iterable

from somamemory_operator.cluster.client import Listed
from somamemory_operator.model.observed import MemoryKey


class Heartbeat:
    """Compares the newest version heard of each SomaMemory with the newest version seen."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard: dict[MemoryKey, int] = {}
        self._missing: dict[MemoryKey, tuple[int, float]] = {}

    def heard(self, key: MemoryKey, version: int) -> None:
        """Take note of an event about a SomaMemory."""
        self._heard[key] = max(version, self._heard.get(key, 0))
        if key in self._missing and self._missing[key][0] <= version:
            del self._missing[key]

    def gone(self, key: MemoryKey) -> None:
        """Take note of a deletion."""
        self._heard.pop(key, None)
        self._missing.pop(key, None)

    def compare(self, listed: Iterable[Listed]) -> list[MemoryKey]:
        """Compare with what there is; returns those whose newest version was not heard of, at least not yet."""
        seen = {MemoryKey(each.namespace, each.name): each.version for each in listed}
        for key in [key for key in (*self._missing, *self._heard) if key not in seen]:
            self.gone(key)
        for key, version in seen.items():
            if self._heard.get(key, 0) < version:
                self._missing.setdefault(key, (version, self._clock()))
        return list(self._missing)

    def unheard(self) -> int:
        """How many SomaMemories have a version that was not heard of."""
        return len(self._missing)

    def deaf_seconds(self) -> float:
        """For how long a version has not been heard of; 0 when all is well."""
        return max((self._clock() - since for _, since in self._missing.values()), default=0.0)
