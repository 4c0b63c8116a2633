"""Learning from what happened: outcomes of memories, and facts drawn from episodes. The originals always stay.

What is learned is a memory of its own at a place derived from the original's, linked to it. Learning the same again
finds the same place, so it changes nothing.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol
from uuid import UUID

from somafractalmemory.errors import InvalidPayload, NotFound
from somafractalmemory.model import (
    MAX_DIMENSIONS,
    Coordinate,
    Memory,
    MemoryType,
    Payload,
    Remembered,
    canonical,
    check_payload,
    memory_id,
    same,
    searchable_text,
)
from somafractalmemory.model.graph import NewLink
from somafractalmemory.ports import Period, Records
from somafractalmemory.usecases.linking import Linking

CORRECTS = "corrects"
CONSOLIDATES = "consolidates"
MAX_AT_ONCE = 1000
_PAGE = 200
_MOST_LOOKED_AT = 100_000
_FACT = 2000


class Writer(Protocol):
    """The service's own ways to write."""

    async def remember(
        self, *, namespace: str, coordinate: Coordinate, payload: Payload, memory_type: MemoryType
    ) -> Remembered: ...

    async def remember_many(
        self, *, namespace: str, items: Sequence[tuple[Coordinate, Payload, MemoryType]]
    ) -> tuple[int, bool]: ...

    async def change(
        self, change: Callable[[Payload], Payload], *, namespace: str, coordinate: Coordinate
    ) -> Remembered: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was noted: the memory's new version, whether its prediction was wrong, and where the correction is."""

    version: int
    error: bool
    correction: Coordinate | None
    indexed: bool


@dataclass(frozen=True, slots=True)
class Consolidated:
    """How many facts were stored, and how many were known already; not `complete` when there are more episodes."""

    stored: int
    unchanged: int
    complete: bool
    indexed: bool = True


class Consolidating:
    """Outcomes and consolidation, over the truth and the service's own writes."""

    def __init__(
        self,
        *,
        records: Records,
        writer: Writer,
        links: Linking,
        clock: Callable[[], float],
        secrets: Callable[[Payload], frozenset[str]],
    ) -> None:
        self._records = records
        self._writer = writer
        self._links = links
        self._clock = clock
        self._secrets = secrets

    async def report_outcome(self, *, namespace: str, coordinate: Coordinate, outcome: Any) -> Outcome:
        """Note what really happened; where it differs from the memory's `predicted_outcome`, store a correction.

        The memory keeps all its fields and gets `reported_outcome` and `error`. The correction is a semantic memory
        that is linked to it.

        Raises:
            NotFound, InvalidPayload, Unavailable.
        """
        try:
            check_payload({"reported_outcome": outcome})
        except InvalidPayload as error:
            raise InvalidPayload(f"outcome: {error}", loc=("outcome",)) from None
        before: Payload = {}

        def noted(payload: Payload) -> Payload:
            before.clear()
            before.update(payload)
            return {**payload, "reported_outcome": outcome, "error": _is_wrong(payload, outcome)}

        remembered = await self._writer.change(noted, namespace=namespace, coordinate=coordinate)
        if not _is_wrong(before, outcome):
            return Outcome(remembered.saved.version, False, None, remembered.indexed)
        place, indexed = await self._correct(namespace, coordinate, before, outcome)
        return Outcome(remembered.saved.version, True, place, remembered.indexed and indexed)

    async def _correct(
        self, namespace: str, coordinate: Coordinate, before: Payload, outcome: Any
    ) -> tuple[Coordinate, bool]:
        place = derived_coordinate(coordinate, CORRECTS)
        payload = {
            "corrective_for": list(coordinate),
            "correction": outcome,
            "original_payload": self._told(before),
            "timestamp": self._clock(),
        }
        try:
            searchable_text(payload)
        except InvalidPayload:  # just below the limits itself; the link leads to it
            del payload["original_payload"]
        remembered = await self._writer.remember(
            namespace=namespace, coordinate=place, payload=payload, memory_type=MemoryType.SEMANTIC
        )
        await self._link(namespace, [(place, coordinate)], CORRECTS)
        return place, remembered.indexed

    async def consolidate(self, *, namespace: str, window_seconds: float, limit: int = MAX_AT_ONCE) -> Consolidated:
        """Store a semantic memory for each episodic one of the last `window_seconds` that has none yet, newest first.

        Each is linked to its episode. An episode that has changed since replaces its fact, whose old version is kept.

        Raises:
            Unavailable: what was stored until then stays; ask again for the rest.
        """
        stored = unchanged = looked_at = 0
        indexed = True
        period = Period(namespace, self._clock() - window_seconds, MemoryType.EPISODIC)
        async for episodes in self._episodes(period):
            fresh = await self._without_facts(namespace, episodes)
            unchanged += len(episodes) - len(fresh)
            looked_at += len(episodes)
            portion = fresh[: limit - stored]
            indexed &= await self._store_facts(namespace, portion)
            stored += len(portion)
            if stored >= limit or looked_at >= _MOST_LOOKED_AT:
                return Consolidated(stored, unchanged, False, indexed)
        return Consolidated(stored, unchanged, True, indexed)

    async def _episodes(self, period: Period) -> AsyncIterator[list[Memory]]:
        before: tuple[float, UUID] | None = None
        while page := await self._records.recollections.newest(period, before=before, limit=_PAGE):
            found = await self._records.get([place for _, place in page])
            yield [found[at] for _, at in page if at in found and not found[at].deleted and not found[at].locked]
            before = page[-1]

    async def _without_facts(self, namespace: str, episodes: Sequence[Memory]) -> list[Memory]:
        """Those whose fact is missing, or was drawn from another version."""
        places = {memory_id(namespace, _fact_place(episode)): episode for episode in episodes}
        facts = await self._records.get(list(places))
        drawn = {place: fact.payload.get("source_version") for place, fact in facts.items() if not fact.deleted}
        return [episode for place, episode in places.items() if drawn.get(place) != episode.version]

    async def _store_facts(self, namespace: str, episodes: Sequence[Memory]) -> bool:
        if not episodes:
            return True
        now = self._clock()
        items = [(_fact_place(episode), self._fact(episode, now), MemoryType.SEMANTIC) for episode in episodes]
        _, indexed = await self._writer.remember_many(namespace=namespace, items=items)
        await self._link(namespace, [(_fact_place(each), each.coordinate) for each in episodes], CONSOLIDATES)
        return indexed

    def _fact(self, episode: Memory, now: float) -> Payload:
        """Secret fields keep their names, so that they are sealed here, too."""
        told = self._told(episode.payload)
        secret = {name: value for name, value in episode.payload.items() if name not in told}
        return {
            **secret,
            "fact": told.get("task") or told.get("fact") or searchable_text(_words(told))[:_FACT],
            "source_coord": list(episode.coordinate),
            "source_version": episode.version,
            "consolidated_from": episode.memory_type.value,
            "importance": episode.importance,
            "timestamp": now,
        }

    def _told(self, payload: Payload) -> Payload:
        secrets = self._secrets(payload)
        return {name: value for name, value in payload.items() if name not in secrets}

    async def _link(self, namespace: str, pairs: Sequence[tuple[Coordinate, Coordinate]], link_type: str) -> None:
        """An original that was deleted meanwhile needs no link; the others get theirs."""
        links = [NewLink(place, original, link_type, 1.0) for place, original in pairs]
        try:
            await self._links.link_many(namespace=namespace, links=links)
        except NotFound:
            if len(pairs) > 1:
                for pair in pairs:
                    await self._link(namespace, [pair], link_type)


def derived_coordinate(coordinate: Coordinate, purpose: str) -> Coordinate:
    """The place of what is learned from the memory at a place: always the same, and nobody else's by chance.

    One more number, between 0 and 1, made of the purpose and all numbers; it takes the last one's place in 64.
    """
    digest = blake2b(f"{purpose}:{canonical(coordinate)}".encode(), digest_size=8).digest()
    number = (int.from_bytes(digest) >> 11) / 2**53
    return (*coordinate[: MAX_DIMENSIONS - 1], number)


def _fact_place(episode: Memory) -> Coordinate:
    return derived_coordinate(episode.coordinate, CONSOLIDATES)


def _words(payload: Payload) -> Payload:
    """Without the numbers that are not what it tells."""
    return {name: value for name, value in payload.items() if name not in {"timestamp", "importance"}}


def _is_wrong(payload: Payload, outcome: Any) -> bool:
    """Whether a prediction was made that is not what happened."""
    predicted = payload.get("predicted_outcome")
    return predicted is not None and not same(predicted, outcome)
