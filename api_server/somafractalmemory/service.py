"""The use cases, over ports only: remember, recall, look up, forget, count."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from somafractalmemory import telemetry
from somafractalmemory.batching import Batcher
from somafractalmemory.errors import NotFound, SomaError, Unavailable
from somafractalmemory.indexing import point_of, tombstone_of
from somafractalmemory.model import (
    Coordinate,
    Counts,
    Hit,
    Match,
    Memory,
    MemoryType,
    NewMemory,
    Payload,
    Recalled,
    Remembered,
    check_filters,
    fulfils,
    memory_id,
    new_memory,
)
from somafractalmemory.ports import Embedder, Records, Search, Vectors
from somafractalmemory.ranking import Weights, fuse, rank

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A committed memory on its way to the index."""

    memory: NewMemory
    version: int


class MemoryService:
    """What callers of every face (HTTP, later gRPC and the command line) can ask for."""

    def __init__(
        self,
        *,
        records: Records,
        vectors: Vectors,
        embedder: Embedder,
        weights: Weights,
        index_timeout_seconds: float = 2.0,
        clock: Callable[[], float] = time.time,
        written: Callable[[], None] = lambda: None,
    ) -> None:
        self._records = records
        self._vectors = vectors
        self._embedder = embedder
        self._weights = weights
        self._clock = clock
        self._written = written
        self._saves = Batcher(records.save, name="postgres", key=lambda memory: memory.id, timeout_seconds=8.0)
        self._indexing = Batcher(
            self._index, name="qdrant", key=lambda fresh: fresh.memory.id, timeout_seconds=index_timeout_seconds
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "MemoryService":
        await self._stack.enter_async_context(self._indexing)
        await self._stack.enter_async_context(self._saves)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def remember(
        self, *, namespace: str, coordinate: Coordinate, payload: Payload, memory_type: MemoryType
    ) -> Remembered:
        """Commit a memory, then index it. Raises when it is not committed; a failing index is only reported."""
        memory = new_memory(
            namespace=namespace, coordinate=coordinate, payload=payload, memory_type=memory_type, now=self._clock()
        )
        saved = await self._saves.submit(memory)
        self._written()
        telemetry.STORED.labels(namespace).inc()
        return Remembered(saved, await self._try_index(_Fresh(memory, saved.version)))

    async def recall(
        self,
        *,
        namespace: str,
        query: str,
        top_k: int,
        memory_type: MemoryType | None,
        filters: Mapping[str, Any],
        hybrid: bool,
    ) -> Recalled:
        """The memories that fit the query best; by words alone, and marked so, while the index is away."""
        search = Search(namespace, memory_type, check_filters(filters), _with_spare(top_k))
        embedding = await self._embedder.query(query)
        try:
            hits = await self._vectors.query(embedding, search, hybrid=hybrid)
        except Unavailable as error:
            telemetry.DEGRADED_RECALLS.inc()
            log.warning("recall_degraded", error=str(error))
            found = await self._records.find_text(query, search)
            return Recalled(rank(found_by_text(found), self._clock())[:top_k], degraded=("qdrant",))
        return Recalled((await self._hydrated(fuse(hits, self._weights, hybrid=hybrid), search, top_k))[:top_k])

    async def look_up(self, *, namespace: str, coordinate: Coordinate) -> Memory:
        """The memory at this very place. Raises NotFound."""
        place = memory_id(namespace, coordinate)
        memory = (await self._records.get([place])).get(place)
        if memory is None or memory.deleted:
            raise NotFound("no memory lives at this coordinate")
        return memory

    async def forget(self, *, namespace: str, coordinate: Coordinate) -> Remembered:
        """Delete the memory everywhere. Raises NotFound."""
        deleted = await self._records.delete([memory_id(namespace, coordinate)])
        if not deleted:
            raise NotFound("no memory lives at this coordinate")
        self._written()
        point = tombstone_of(deleted[0].id, namespace, deleted[0].version, self._clock())
        try:
            await self._vectors.upsert([point])
        except SomaError:
            telemetry.INDEX_FAILURES.labels("delete").inc()
            return Remembered(deleted[0], indexed=False)
        return Remembered(deleted[0], indexed=True)

    async def count(self, *, namespace: str) -> Counts:
        """How many memories live in the namespace."""
        return await self._records.count(namespace)

    async def _hydrated(
        self, fused: Sequence[tuple[Hit, Mapping[str, float]]], search: Search, top_k: int
    ) -> list[Match]:
        """The best of what the truth confirms; reads only as many memories as the answer needs."""
        best_first = sorted(fused, key=lambda pair: -sum(pair[1].values()))
        portion = top_k + top_k // 2 + 5
        confirmed: list[tuple[Memory, Mapping[str, float]]] = []
        for start in range(0, len(best_first), portion):
            candidates = best_first[start : start + portion]
            memories = await self._records.get([hit.id for hit, _ in candidates])
            confirmed += [(memories[hit.id], parts) for hit, parts in candidates if _is_true(hit, memories, search)]
            if len(confirmed) >= top_k:
                break
        return rank(confirmed, self._clock())

    async def _try_index(self, fresh: _Fresh) -> bool:
        try:
            await self._indexing.submit(fresh)
        except SomaError as error:
            telemetry.INDEX_FAILURES.labels("store").inc()
            log.warning("index_deferred", memory_id=str(fresh.memory.id), error=str(error))
            return False
        return True

    async def _index(self, batch: Sequence[_Fresh]) -> Sequence[None]:
        embeddings = await self._embedder.documents([fresh.memory.text for fresh in batch])
        points = [
            point_of(fresh.memory, fresh.version, embedding) for fresh, embedding in zip(batch, embeddings, strict=True)
        ]
        await self._vectors.upsert(points)
        return [None] * len(batch)


def _with_spare(top_k: int) -> int:
    """Ask for more than wanted: bounded factors reorder, and stale hits are dropped."""
    return min(top_k * 2 + 20, 1100)


def _is_true(hit: Hit, memories: Mapping[UUID, Memory], search: Search) -> bool:
    """Whether the truth still says what was indexed."""
    memory = memories.get(hit.id)
    return (
        memory is not None
        and not memory.deleted
        and memory.version == hit.version
        and memory.namespace == search.namespace
        and search.memory_type in {None, memory.memory_type}
        and fulfils(memory.payload, search.filters)
    )


def found_by_text(found: Sequence[tuple[Memory, float]]) -> list[tuple[Memory, dict[str, float]]]:
    """Full-text ranks as one part of a score, relative to the best."""
    best = max((score for _, score in found), default=0.0) or 1.0
    return [(memory, {"text": score / best}) for memory, score in found]
