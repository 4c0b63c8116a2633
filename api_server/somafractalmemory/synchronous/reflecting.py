"""Remembering without a question, learning from what was, sharing."""

from collections.abc import Callable
from typing import Any, Protocol

from somafractalmemory.errors import InvalidRequest, NotFound
from somafractalmemory.model import MemoryType
from somafractalmemory.synchronous.base import Face
from somafractalmemory.synchronous.reading import Record
from somafractalmemory.synchronous.values import payload_of, place_of, record_of, type_of
from somafractalmemory.usecases.consolidating import Consolidated
from somafractalmemory.usecases.recollecting import summary_of

_MOST = 1000
_CONSOLIDATING_SECONDS = 300.0


class Receiver(Protocol):
    """Who memories can be shared with."""

    def store_memory(self, coordinate: Any, value: Any, memory_type: MemoryType | str = ...) -> object: ...


class Reflecting(Face):
    """The latest, the most important, some by chance; outcomes and consolidation."""

    def get_recent(self, n: int = 10, memory_type: MemoryType | str | None = None) -> list[Record]:
        """The latest, by their own time, else by when they were stored."""
        found = self._service.recollecting.recent(
            namespace=self.namespace, memory_type=type_of(memory_type), limit=_count(n)
        )
        return [record_of(memory) for memory in self._ask(found)]

    def get_important(self, n: int = 10, memory_type: MemoryType | str | None = None) -> list[Record]:
        """The most important, of equals the latest."""
        found = self._service.recollecting.important(
            namespace=self.namespace, memory_type=type_of(memory_type), limit=_count(n)
        )
        return [record_of(memory) for memory in self._ask(found)]

    def summarize_memories(self, n: int = 10, memory_type: MemoryType | str | None = None) -> list[str]:
        """The task or fact of each of the latest, else how its text begins."""
        found = self._service.recollecting.recent(
            namespace=self.namespace, memory_type=type_of(memory_type), limit=_count(n)
        )
        return [summary_of(memory) for memory in self._ask(found)]

    def replay_memories(self, n: int = 5, memory_type: MemoryType | str | None = None) -> list[Record]:
        """Some by chance, each as likely as any other."""
        found = self._service.recollecting.sample(
            namespace=self.namespace, memory_type=type_of(memory_type), limit=_count(n)
        )
        return [record_of(memory) for memory in self._ask(found)]

    def reflect(self, n: int = 5, memory_type: MemoryType | str | None = None) -> list[Record]:
        """As `replay_memories`, with hooks."""
        kind = type_of(memory_type)
        self._hooks.fire("before_reflect", n, kind)
        memories = self.replay_memories(n, kind)
        self._hooks.fire("after_reflect", n, kind, memories)
        return memories

    def report_outcome(self, coordinate: Any, outcome: Any) -> Record:
        """Note what really happened; a wrong `predicted_outcome` also leaves a correction at a place of its own.

        Answers the memory, or `{"error": True, "message": …}` when there is none.
        """
        place = place_of(coordinate)
        told = payload_of({"outcome": outcome})["outcome"]
        try:
            self._ask(
                self._service.consolidating.report_outcome(namespace=self.namespace, coordinate=place, outcome=told)
            )
            (memory,) = self._ask(self._service.recollecting.at(namespace=self.namespace, coordinates=[place]))
        except (NotFound, ValueError):
            return {"error": True, "message": f"no memory lives at {list(place)}"}
        return record_of(memory)

    def consolidate_memories(self, window_seconds: float = 3600) -> int:
        """Draw a fact from each recent episode that has none yet, beside it; answers how many were stored."""
        if not 0 < window_seconds <= 1e10:
            raise InvalidRequest("window_seconds is a positive number of seconds", loc=("window_seconds",))
        stored = 0
        while True:
            done = self._consolidate(window_seconds)
            stored += done.stored
            if done.complete or not done.stored:
                return stored

    def _consolidate(self, window_seconds: float) -> Consolidated:
        return self._ask(
            self._service.consolidating.consolidate(namespace=self.namespace, window_seconds=window_seconds),
            seconds=_CONSOLIDATING_SECONDS,
        )

    def share_memory_with(self, other: Receiver, filter_fn: Callable[[Record], bool] | None = None) -> int:
        """Store copies of all memories, or of those that the function likes, in another system; answers how many."""
        shared = 0
        for memory in self._walk(None):
            if filter_fn is None or filter_fn(record_of(memory)):
                other.store_memory(memory.coordinate, memory.payload, memory.memory_type)
                shared += 1
        return shared

    def memory_stats(self) -> dict[str, int]:
        """How many memories live here, and of which type."""
        counts = self._ask(self._service.count(namespace=self.namespace))
        return {
            "total_memories": counts.episodic + counts.semantic,
            "episodic": counts.episodic,
            "semantic": counts.semantic,
        }


def _count(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= _MOST:
        raise InvalidRequest(f"n is a whole number from 1 to {_MOST}", loc=("n",))
    return number
