"""When the operator is well. Liveness is what only a new start can mend; readiness is what it takes to work at once.

A kind that the API server refuses is neither: a new start mends nothing, and a replica that is not ready for it would
only lose its metrics. It is a remark on /readyz, a metric, and a condition of every SomaMemory.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from somamemory_operator.cluster.lease import Leader
from somamemory_operator.cluster.watches import Watch


@dataclass(frozen=True)
class Limits:
    """How often SomaMemories are listed, and how long the parts may be out of touch, in seconds."""

    look: float = 20.0
    deaf: float = 60.0
    silent: float = 300.0
    leaderless: float = 60.0


LIMITS = Limits()


class Listener(Protocol):
    """What listens for events about SomaMemories, in a thread of its own."""

    @property
    def ready(self) -> bool: ...
    def age(self) -> float: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Health:
    """Looks at the parts as they come to be; those that are missing yet are no reason for a new start."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.listener: Listener | None = None
        self.leader: Leader | None = None
        self.watches: Sequence[Watch] = ()
        self.listed_at = float("-inf")

    def problems(self) -> Iterator[str]:
        """What only a new start can mend; that the API server is away is not of that kind."""
        if self.listener is not None and self.listener.age() > self._limits.deaf:
            yield f"Kopf has not moved for {self.listener.age():.0f} s"
        answered = time.monotonic() - self.listed_at < 2 * self._limits.look
        for watch in self.watches if answered else ():
            if watch.age() > self._limits.silent:
                yield f"the watch of {watch.kind} has been silent for {watch.age():.0f} s"

    def obstacles(self) -> Iterator[str]:
        """What is missing until this replica could work at once; a standby is as ready as a leader."""
        yield from self.problems()
        if self.listener is None or not self.listener.ready:
            yield "Kopf does not listen yet"
        if self.leader is not None and time.monotonic() - self.leader.heard_at > self._limits.leaderless:
            yield "the Lease cannot be read: check the API server and the RBAC rules"
        for watch in self.watches:
            if not watch.synced.is_set():
                yield f"the watch of {watch.kind} is not in sync yet"

    def remarks(self) -> Iterator[str]:
        """What keeps nothing from working, but should be known."""
        for watch in self.watches:
            if watch.refusal is not None:
                yield watch.refusal.message
