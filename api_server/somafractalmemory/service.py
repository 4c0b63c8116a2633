"""The use cases, over ports only: remember, recall, look up, forget, count."""

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from somafractalmemory import telemetry
from somafractalmemory.errors import InvalidPayload, InvalidRequest, Overloaded, Unavailable, VersionMismatch
from somafractalmemory.indexing.batching import Batcher
from somafractalmemory.indexing.freshening import Embedded, Fresh, FreshIndex
from somafractalmemory.model import (
    Coordinate,
    Counts,
    Memory,
    MemoryType,
    NewMemory,
    Payload,
    Recalled,
    Remembered,
    Saved,
    check_payload,
    memory_id,
    new_memory,
    nobody_at,
)
from somafractalmemory.model.merging import merged
from somafractalmemory.model.ranking import Weights
from somafractalmemory.model.wording import Term
from somafractalmemory.ports import Box, Embedder, Locks, Records, Vectors
from somafractalmemory.ports.care import Deed
from somafractalmemory.usecases.auditing import Auditing
from somafractalmemory.usecases.consolidating import Consolidating
from somafractalmemory.usecases.erasing import Eraser
from somafractalmemory.usecases.exporting import Exporting
from somafractalmemory.usecases.importing import Importing
from somafractalmemory.usecases.linking import Linking
from somafractalmemory.usecases.nearby import Nearby
from somafractalmemory.usecases.recalling import Question, Recaller
from somafractalmemory.usecases.recollecting import Recollecting
from somafractalmemory.usecases.repeating import Repeating
from somafractalmemory.usecases.rules import Rules
from somafractalmemory.usecases.seen import Lens, SeenRecords
from somafractalmemory.usecases.upkeep import Upkeep
from somafractalmemory.usecases.usage import Usage

_NO_RULES = Rules()
_AMENDING_ATTEMPTS = 5


class MemoryService:
    """What callers of every face (HTTP, gRPC, the command line) can ask for."""

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
        rules: Rules = _NO_RULES,
        locks: Locks | None = None,
        topics: Sequence[str] = (),
    ) -> None:
        self.eraser = Eraser(records=records, vectors=vectors, locks=locks, topics=topics, erased=written)
        self.upkeep = Upkeep(records=records, rules=rules, clock=clock, written=written)
        self.audit = Auditing(records.audits, rules.audit)
        self._usage = Usage(records.care, clock=clock)
        lens = Lens(self._usage, clock=clock, decay=rules.decay, seal=rules.seal)
        records = SeenRecords(records, lens)
        self._records = records
        self._clock = clock
        self._embedder = embedder
        self._written = written
        self._saves = Batcher(
            self._commit, name="postgres", key=lambda memory: memory.id, workers=4, timeout_seconds=8.0
        )
        self._index = FreshIndex(
            vectors=vectors,
            embedder=embedder,
            clock=clock,
            timeout_seconds=index_timeout_seconds,
            outline=lens.outline,
        )
        self._recaller = Recaller(records=records, vectors=vectors, embedder=embedder, weights=weights, clock=clock)
        self.links = Linking(records=records, written=written)
        self.exporting = Exporting(records=records, embedder=embedder, clock=clock)
        self.importing = Importing(
            records=records, index=self._index, clock=clock, written=written, noted=self.audit.append
        )
        self.nearby = Nearby(records=records)
        self.recollecting = Recollecting(records=records)
        self.consolidating = Consolidating(
            records=records, writer=self, links=self.links, clock=clock, secrets=lens.secrets
        )
        self.repeating = Repeating(records.request_keys)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "MemoryService":
        await self._stack.enter_async_context(self._usage)
        await self._stack.enter_async_context(self.audit)
        await self._stack.enter_async_context(self._index)
        await self._stack.enter_async_context(self._saves)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def remember(
        self,
        *,
        namespace: str,
        coordinate: Coordinate,
        payload: Payload,
        memory_type: MemoryType,
        expected: int | None = None,
    ) -> Remembered:
        """Commit a memory, then index it. Raises when it is not committed; a failing index is only reported.

        With an expected version it only replaces that one. Raises VersionMismatch.
        """
        memory = new_memory(
            namespace=namespace, coordinate=coordinate, payload=payload, memory_type=memory_type, now=self._clock()
        )
        if expected is None:
            saved, embedded = await self._saves.submit(memory)
        else:
            saved, embedded = await self._replace(memory, expected), None
        self._stored([memory])
        return Remembered(saved, await self._index.put(Fresh(memory, saved.version, embedded)))

    async def remember_many(
        self, *, namespace: str, items: Sequence[tuple[Coordinate, Payload, MemoryType]]
    ) -> tuple[int, bool]:
        """Commit all or none in one statement, then index them; of several at one place the last one stays.

        Answers how many were stored, and whether recall finds them all already.
        """
        memories = [self._numbered(number, namespace, item) for number, item in enumerate(items)]
        last = list({memory.id: memory for memory in memories}.values())
        if not last:
            return 0, True
        saved = await self._commit(last)
        self._stored(last)
        fresh = [Fresh(memory, each.version, embedded) for memory, (each, embedded) in zip(last, saved, strict=True)]
        return len(last), await self._index.put_many(fresh)

    async def recall(self, question: Question) -> Recalled:
        """The memories that fit a question best."""
        return await self._recaller.recall(question)

    async def recall_many(self, questions: Sequence[Question]) -> Sequence[Recalled]:
        """One answer for each question, in order."""
        return await self._recaller.recall_many(questions)

    async def find_term(
        self, term: Term, *, namespace: str, memory_type: MemoryType | None, limit: int
    ) -> Sequence[Memory]:
        """The memories whose values contain the term, last changed first."""
        return await self._records.lookups.find_term(term, namespace=namespace, memory_type=memory_type, limit=limit)

    async def page(
        self, *, namespace: str, memory_type: MemoryType | None, after: Coordinate | None, limit: int
    ) -> Sequence[Memory]:
        """The memories of the namespace by their places, from behind `after` on."""
        return await self._records.lookups.page(namespace=namespace, memory_type=memory_type, after=after, limit=limit)

    async def places_within(self, box: Box, *, after: Coordinate | None, limit: int) -> Sequence[Coordinate]:
        """The places in the box, in order, from behind `after` on. Raises InvalidRequest for a box that is none."""
        if len(box.low) != len(box.high) or (after and len(after) != len(box.low)):
            raise InvalidRequest("min, max and after have the same number of dimensions", loc=("max",))
        return await self._records.lookups.within(box, after=after, limit=limit)

    async def look_up(self, *, namespace: str, coordinate: Coordinate) -> Memory:
        """The memory at this very place; counts as a retrieval. Raises NotFound, Unavailable when it stays sealed."""
        memory = await self._living(namespace, coordinate)
        self._usage.retrieved(memory.id)
        return memory

    async def versions(self, *, namespace: str, coordinate: Coordinate) -> Sequence[Memory]:
        """The memory and what it was before, newest first. Raises NotFound."""
        found = await self._records.lookups.versions(memory_id(namespace, coordinate))
        if not found:
            raise nobody_at(coordinate)
        return found

    async def amend(
        self,
        *,
        namespace: str,
        coordinate: Coordinate,
        patch: Payload,
        memory_type: MemoryType | None,
        expected: int | None = None,
    ) -> Remembered:
        """Merge a patch into the memory's payload. Raises NotFound, InvalidPayload, VersionMismatch.

        Without an expected version, one that another writer got ahead of is merged again, a few times.
        """
        check_payload(patch)  # before anything walks through it, and before anybody says that another one was faster
        return await self.change(
            lambda payload: merged(payload, patch),
            namespace=namespace,
            coordinate=coordinate,
            memory_type=memory_type,
            expected=expected,
        )

    async def change(
        self,
        change: Callable[[Payload], Payload],
        *,
        namespace: str,
        coordinate: Coordinate,
        memory_type: MemoryType | None = None,
        expected: int | None = None,
    ) -> Remembered:
        """Put what `change` makes of the payload in its place, as `amend` does; it may be asked several times."""
        for _ in range(_AMENDING_ATTEMPTS):
            old = await self._living(namespace, coordinate)
            _check_version(old, expected)
            new = new_memory(
                namespace=namespace,
                coordinate=coordinate,
                payload=change(old.payload),
                memory_type=memory_type or old.memory_type,
                now=self._clock() if old.timestamp is None else old.timestamp,
            )
            saved = await self._records.replace(new, expected=old.version)
            if saved is not None:
                self._stored([new])
                return Remembered(saved, await self._index.put(Fresh(new, saved.version)))
        raise Overloaded("postgres", "this memory is changed by too many writers at once", retry_after_seconds=1)

    async def set_importance(
        self, *, namespace: str, coordinate: Coordinate, importance: float, expected: int | None = None
    ) -> Remembered:
        """Change the payload's importance and nothing else, as `amend` does. Raises what that raises."""
        return await self.amend(
            namespace=namespace,
            coordinate=coordinate,
            patch={"importance": importance},
            memory_type=None,
            expected=expected,
        )

    async def forget(self, *, namespace: str, coordinate: Coordinate, expected: int | None = None) -> Remembered:
        """Delete the memory everywhere. Raises NotFound, VersionMismatch."""
        deleted = await self._records.delete([memory_id(namespace, coordinate)], expected=expected)
        if not deleted:
            if expected is not None:
                _check_version(await self._living(namespace, coordinate), expected)
            raise nobody_at(coordinate)
        self._written()
        return Remembered(deleted[0], await self._index.drop(namespace, deleted))

    async def forget_many(self, *, namespace: str, coordinates: Sequence[Coordinate]) -> tuple[int, bool]:
        """Delete those that live, all together; answers how many lived, and whether recall is rid of them already."""
        ids = list(dict.fromkeys(memory_id(namespace, coordinate) for coordinate in coordinates))
        deleted = await self._records.delete(ids) if ids else []
        if not deleted:
            return 0, True
        self._written()
        return len(deleted), await self._index.drop(namespace, deleted)

    async def embed(self, text: str) -> Any | None:
        """The unit vector of a text, or None for one without words."""
        (embedding,) = await self._embedder.documents([text])
        return embedding.dense

    async def count(self, *, namespace: str) -> Counts:
        """How many memories live in the namespace."""
        return await self._records.count(namespace)

    async def _commit(self, memories: Sequence[NewMemory]) -> list[tuple[Saved, Embedded]]:
        """Commit all together; they are embedded meanwhile."""
        embedded = self._index.embed(memories)
        return list(zip(await self._records.save(memories), embedded, strict=True))

    def _stored(self, memories: Sequence[NewMemory]) -> None:
        self._written()
        telemetry.STORED.labels(telemetry.namespace_label(memories[0].namespace)).inc(len(memories))
        for memory in memories:
            self.audit.stored(Deed("store", memory.namespace, memory.coordinate, memory.id))

    async def _living(self, namespace: str, coordinate: Coordinate) -> Memory:
        place = memory_id(namespace, coordinate)
        memory = (await self._records.get([place])).get(place)
        if memory is None or memory.deleted:
            raise nobody_at(coordinate)
        if memory.locked:
            raise Unavailable("encryption", "no key opens this memory: put the one that sealed it into the key file")
        return memory

    async def _replace(self, memory: NewMemory, expected: int) -> Saved:
        saved = await self._records.replace(memory, expected=expected)
        if saved is None:
            old = (await self._records.get([memory.id])).get(memory.id)
            found = "nothing lives there" if old is None or old.deleted else f"the memory is at version {old.version}"
            raise VersionMismatch(f"{found}, expected was version {expected}: read it again")
        return saved

    def _numbered(self, number: int, namespace: str, item: tuple[Coordinate, Payload, MemoryType]) -> NewMemory:
        """One item of a bulk. Raises InvalidPayload with the number of the item."""
        coordinate, payload, memory_type = item
        try:
            return new_memory(
                namespace=namespace, coordinate=coordinate, payload=payload, memory_type=memory_type, now=self._clock()
            )
        except InvalidPayload as error:
            raise InvalidPayload(f"item {number}: {error}", loc=("items", number, *error.loc)) from None


def _check_version(memory: Memory, expected: int | None) -> None:
    if expected not in {None, memory.version}:
        raise VersionMismatch(f"the memory is at version {memory.version}, not {expected}: read it again")
