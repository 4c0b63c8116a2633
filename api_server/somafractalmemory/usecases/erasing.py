"""Erasing: a memory, or all of a namespace, out of every store. It can end anywhere and be repeated."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog

from somafractalmemory.errors import Unavailable
from somafractalmemory.model import Coordinate, memory_id
from somafractalmemory.ports import Locks, Records, Vectors
from somafractalmemory.ports.states import State

log = structlog.get_logger(__name__)

_BATCH = 500
_ROUNDS = 5

KEPT_BY_KAFKA = (
    "Kafka cannot take out single messages: events that were published before stay on these topics until their "
    "retention ends (retention.ms); lower it, or delete the records, if that is too late. No replay brings them back."
)


@dataclass(slots=True)
class Erased:
    """What was erased where. `complete` says that nothing is left where erasing is possible."""

    postgres: dict[str, int] = field(default_factory=dict)
    index_entries: int = 0
    index_reached: bool = True
    locks: int = 0
    locks_reached: bool = True
    finished: bool = False
    topics: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing needs to be repeated."""
        return self.finished and self.index_reached and self.locks_reached

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "complete": self.complete,
            "postgres": self.postgres,
            "qdrant": {"entries": self.index_entries, "reached": self.index_reached},
            "locks": {"entries": self.locks, "reached": self.locks_reached},
            "kafka": {"topics": list(self.topics), "note": KEPT_BY_KAFKA if self.topics else "no events are published"},
        }

    def add(self, counts: "dict[str, int] | Any") -> None:
        """Count more of what was in Postgres."""
        for name, count in counts.items():
            self.postgres[name] = self.postgres.get(name, 0) + count


class Eraser:
    """Works in bounded batches. The truth goes first, so that nothing can be rebuilt from it meanwhile."""

    def __init__(
        self,
        *,
        records: Records,
        vectors: Vectors,
        locks: Locks | None,
        topics: Sequence[str],
        erased: Callable[[], None] = lambda: None,
        batch: int = _BATCH,
    ) -> None:
        self._records = records
        self._vectors = vectors
        self._locks = locks
        self._topics = tuple(topics)
        self._erased = erased
        self._batch = batch

    async def erase_place(self, namespace: str, coordinate: Coordinate) -> Erased:
        """Erase the memory at this place, living or deleted. Raises Unavailable while Postgres is away."""
        place, done = memory_id(namespace, coordinate), Erased(topics=self._topics)
        done.add(await self._records.erasures.erase([place]))
        while trail := await self._records.erasures.erase_trail(namespace, place, self._batch):
            done.add({"audit_rows": trail})
        await self._forget_entries([place], done)
        return self._finished(done)

    async def erase_namespace(
        self,
        namespace: str,
        *,
        seconds: float | None = None,
        progress: Callable[[Erased], None] = lambda _: None,
    ) -> Erased:
        """Erase all that the namespace has. After `seconds` it stops where it is: repeat it until it is complete.

        What is written there meanwhile is erased, too, or stays if it comes too late. Raises Unavailable while
        Postgres is away.
        """
        done, deadline = Erased(topics=self._topics), time.monotonic() + (seconds or float("inf"))
        while states := await self._records.states.scan(None, self._batch, namespace=namespace):
            ids = [state.id for state in states]
            done.add(await self._records.erasures.erase(ids))
            await self._forget_entries(ids, done)
            progress(done)
            if time.monotonic() > deadline:
                return done
        while any((rest := await self._records.erasures.erase_rest(namespace, self._batch)).values()):
            done.add(rest)
            progress(done)
            if time.monotonic() > deadline:
                return done
        await self._sweep_index(namespace, done)
        await self._drop_locks(namespace, done)
        return self._finished(done)

    def _finished(self, done: Erased) -> Erased:
        self._erased()  # each erased memory left an event that tells of it
        done.finished = True
        log.info("erased", memories=done.postgres.get("memories", 0), complete=done.complete)
        return done

    async def _forget_entries(self, ids: Sequence[UUID], done: Erased) -> None:
        """Until the index has none of them: a write under way may bring one back."""
        try:
            for _ in range(_ROUNDS):
                seen = await self._vectors.states.look(ids)
                if not seen:
                    return
                await self._vectors.states.drop(seen)
                done.index_entries += len(seen)
        except Unavailable as error:
            log.warning("erase_index_away", error=str(error), hint="the events of the erasure mend it, or a repetition")
        done.index_reached = False

    async def _sweep_index(self, namespace: str, done: Erased) -> None:
        """Entries that the truth did not know."""
        try:
            while page := await self._vectors.states.scan(None, self._batch, namespace=namespace):
                known = {state.id for state in await self._records.states.look([state.id for state in page])}
                orphans: list[State] = [state for state in page if state.id not in known]
                if not orphans:
                    return  # all that is left was written meanwhile
                await self._vectors.states.drop(orphans)
                done.index_entries += len(orphans)
        except Unavailable as error:
            log.warning("erase_index_away", error=str(error))
            done.index_reached = False

    async def _drop_locks(self, namespace: str, done: Erased) -> None:
        if self._locks is None:
            return
        try:
            done.locks += await self._locks.drop(f"{namespace}/")
        except Unavailable as error:
            log.warning("erase_locks_away", error=str(error))
            done.locks_reached = False
