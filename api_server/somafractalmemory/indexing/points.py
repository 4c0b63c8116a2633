"""The index follows the truth: what a memory looks like as a point, and how the truth is copied over."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog

from somafractalmemory import telemetry
from somafractalmemory.errors import SomaError, Unavailable
from somafractalmemory.model import Embedding, Memory, NewMemory, Point, facets, searchable_text
from somafractalmemory.model.events import MemoryEvent
from somafractalmemory.ports import Embedder, Records, Vectors

log = structlog.get_logger(__name__)

_COPIERS = 3
_SLICE = 100  # a longer body costs the index twice as much for each point: its memory comes fresh from the system
_SLICES_AT_ONCE = 2


def point_of(memory: NewMemory | Memory, version: int, embedding: Embedding) -> Point:
    """The living point of a memory."""
    return Point(
        id=memory.id,
        namespace=memory.namespace,
        memory_type=memory.memory_type.value,
        version=version,
        embedding=embedding,
        facets=facets(memory.payload),
    )


def tombstone_of(memory_id: UUID, namespace: str, version: int, now: float) -> Point:
    """What is left of a deleted memory: no query finds it, and no older write can replace it."""
    return Point(memory_id, namespace, "", version, None, [], deleted_at=int(now))


class Indexer:
    """Copies the present state of memories from the truth into the index; repeating it changes nothing."""

    def __init__(self, *, records: Records, vectors: Vectors, embedder: Embedder, clock: Callable[[], float]) -> None:
        self._records = records
        self._vectors = vectors
        self._embedder = embedder
        self._clock = clock

    async def refresh(self, ids: Sequence[UUID]) -> None:
        """Bring these memories' points up to date, whatever happened to them. Raises Unavailable."""
        if not ids:
            return
        memories = await self._records.get(list(dict.fromkeys(ids)))
        await self.put(list(memories.values()))
        if unknown := [place for place in ids if place not in memories]:  # erased: an event still tells of them
            await self._vectors.states.drop(await self._vectors.states.look(unknown))

    async def follow(self, events: Sequence[MemoryEvent]) -> None:
        """Refresh what events tell of, as far as the index does not know it yet. Raises Unavailable.

        Mostly the writer has indexed it already: asking for versions costs a tenth of embedding and writing again.
        """
        told: dict[UUID, int] = {}
        for event in events:
            if event.version is not None:
                told[event.id] = max(event.version, told.get(event.id, 0))
        known = {state.id: state.version for state in await self._vectors.states.look(list(told))}
        behind = [place for place, version in told.items() if known.get(place, 0) < version]
        await self.refresh([*behind, *(event.id for event in events if event.foreign)])

    async def refresh_what_fits(self, ids: Sequence[UUID]) -> None:
        """As `refresh`, but one memory that the index refuses keeps no other out of it. Raises Unavailable."""
        await self._put_what_fits(list((await self._records.get(ids)).values()))

    async def put(self, memories: Sequence[Memory]) -> None:
        """Index memories just read from the truth: one slice is embedded while another is being written."""
        turn = asyncio.Semaphore(_SLICES_AT_ONCE)

        async def slice_at(start: int) -> None:
            async with turn:
                await self._put(memories[start : start + _SLICE])

        starts = range(0, len(memories), _SLICE)
        for outcome in await asyncio.gather(*map(slice_at, starts), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _put(self, memories: Sequence[Memory]) -> None:
        alive = [memory for memory in memories if not memory.deleted]
        embeddings = await self._embedder.documents([searchable_text(memory.payload) for memory in alive])
        points = [point_of(memory, memory.version, vector) for memory, vector in zip(alive, embeddings, strict=True)]
        points += [
            tombstone_of(memory.id, memory.namespace, memory.version, self._clock())
            for memory in memories
            if memory.deleted
        ]
        if points:
            await self._vectors.upsert(points)

    async def adopt_when_new(self, pause_seconds: float = 1.0) -> None:
        """Mark the index complete when there is nothing to index yet; returns once both stores have answered.

        A new installation so recalls from its index at once, also before its consumer has started.
        """
        while True:
            try:
                if not await self._vectors.is_complete() and not await self._records.scan(None, 1):
                    await self._vectors.mark_complete()
            except SomaError as error:
                log.info("index_state_unknown", error=str(error))
            else:
                return
            await asyncio.sleep(pause_seconds)

    async def rebuild_if_lost(self, progress: Callable[[int], None], batch: int = 200) -> bool:
        """Fill an index that was never completed (new, or its volume was lost). Says whether it had to."""
        if await self._vectors.is_complete():
            return False
        await self._copy_all(progress, batch)
        await self._vectors.mark_complete()
        return True

    async def _copy_all(self, progress: Callable[[int], None], batch: int) -> None:
        """One batch is read while another is embedded and a third is being written. Raises Unavailable."""
        after: UUID | None = None
        turn = asyncio.Lock()

        async def copy() -> None:
            nonlocal after
            while True:
                async with turn:
                    memories = await self._records.scan(after, batch)
                    if not memories:
                        return
                    after = memories[-1].id
                await self._put_what_fits(memories)
                progress(len(memories))

        copiers = [asyncio.create_task(copy()) for _ in range(_COPIERS)]
        try:
            await asyncio.gather(*copiers)
        finally:
            for copier in copiers:
                copier.cancel()
            await asyncio.gather(*copiers, return_exceptions=True)

    async def _put_what_fits(self, memories: Sequence[Memory]) -> None:
        """Index them; one that the index refuses must not keep all the others out of it for ever."""
        try:
            await self.put(memories)
        except Unavailable:
            raise
        except SomaError as error:
            if len(memories) == 1:
                telemetry.INDEX_FAILURES.labels("rebuild").inc()
                log.warning("index_refuses", memory_id=str(memories[0].id), error=str(error))
                return
            middle = len(memories) // 2
            await self._put_what_fits(memories[:middle])
            await self._put_what_fits(memories[middle:])
