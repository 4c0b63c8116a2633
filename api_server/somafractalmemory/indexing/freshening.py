"""What was just committed, on its way into the index: a recall right after a write finds it, or the answer says so."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from somafractalmemory import telemetry
from somafractalmemory.errors import SomaError
from somafractalmemory.indexing.batching import Batcher
from somafractalmemory.indexing.points import point_of, tombstone_of
from somafractalmemory.model import Embedding, NewMemory, Saved
from somafractalmemory.ports import Embedder, Vectors

log = structlog.get_logger(__name__)

_INDEX_BATCH = 100
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Embedded:
    """One of several memories whose embeddings may still be on their way."""

    together: "asyncio.Task[Sequence[Embedding]]"
    number: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """A committed memory and its version; its embedding, when that was begun before."""

    memory: NewMemory
    version: int
    embedded: Embedded | None = None


class FreshIndex:
    """Indexes committed writes at once. Its failures are only told: the outbox mends them."""

    def __init__(
        self,
        *,
        vectors: Vectors,
        embedder: Embedder,
        clock: Callable[[], float],
        timeout_seconds: float,
        outline: Callable[[NewMemory], NewMemory],
    ) -> None:
        self._outline = outline
        self._vectors = vectors
        self._embedder = embedder
        self._clock = clock
        self._indexing = Batcher(
            self._index, name="qdrant", key=lambda fresh: fresh.memory.id, timeout_seconds=timeout_seconds
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "FreshIndex":
        await self._stack.enter_async_context(self._indexing)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def embed(self, memories: Sequence[NewMemory]) -> list[Embedded]:
        """Begin to embed these while they are being committed. What goes wrong is told when they are indexed."""
        together = asyncio.create_task(self._embed(memories), name="embed")
        together.add_done_callback(lambda task: task.cancelled() or task.exception())
        return [Embedded(together, number) for number in range(len(memories))]

    async def put(self, fresh: Fresh) -> bool:
        """Index one, together with its neighbours; says whether recall finds it already."""
        try:
            await self._indexing.submit(fresh)
        except SomaError as error:
            telemetry.INDEX_FAILURES.labels("store").inc()
            log.warning("index_deferred", memory_id=str(fresh.memory.id), error=str(error))
            return False
        return True

    async def put_many(self, fresh: Sequence[Fresh]) -> bool:
        """In batches, so that nobody else waits for long; one is embedded while the index writes the one before."""
        turn = asyncio.Semaphore(_AT_ONCE)
        failures: list[SomaError] = []

        async def batch(at: int) -> None:
            async with turn:
                if failures:
                    return
                try:
                    await self._index(fresh[at : at + _INDEX_BATCH])
                except SomaError as error:
                    failures.append(error)

        await asyncio.gather(*(batch(at) for at in range(0, len(fresh), _INDEX_BATCH)))
        if failures:
            telemetry.INDEX_FAILURES.labels("store").inc()
            log.warning("index_deferred", memories=len(fresh), error=str(failures[0]))
        return not failures

    async def drop(self, namespace: str, deleted: Sequence[Saved]) -> bool:
        """Leave tombstones, so that no late write brings these back; says whether recall is rid of them already."""
        now = self._clock()
        try:
            await self._vectors.upsert([tombstone_of(gone.id, namespace, gone.version, now) for gone in deleted])
        except SomaError:
            telemetry.INDEX_FAILURES.labels("delete").inc()
            return False
        return True

    async def _index(self, batch: Sequence[Fresh]) -> Sequence[None]:
        late = [fresh.memory for fresh in batch if fresh.embedded is None]
        embedded = iter(self.embed(late) if late else ())
        points = []
        for fresh in batch:
            found = fresh.embedded or next(embedded)
            embedding = (await found.together)[found.number]
            points.append(point_of(self._outline(fresh.memory), fresh.version, embedding))
        await self._vectors.upsert(points)
        return [None] * len(batch)

    async def _embed(self, memories: Sequence[NewMemory]) -> Sequence[Embedding]:
        return await self._embedder.documents([self._outline(memory).text for memory in memories])
