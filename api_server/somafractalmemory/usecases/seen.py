"""Memories as callers see them: their importance beside that of others, without what has decayed, unsealed.

`SeenRecords` is the truth behind a lens. Every use case reads and writes through it, so that no way leads around it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from somafractalmemory.model import Coordinate, Counts, Memory, MemoryType, NewMemory, Saved
from somafractalmemory.model.decay import Decay
from somafractalmemory.model.importance import Scale
from somafractalmemory.model.restoring import Fate, Placed, Restored
from somafractalmemory.model.wording import Term
from somafractalmemory.ports import Box, Import, Links, Lookups, Order, Recollections, Records, Search, Transfers
from somafractalmemory.ports.care import Audits, Care
from somafractalmemory.ports.states import Erasures, TruthStates
from somafractalmemory.security.sealing import Seal
from somafractalmemory.usecases.usage import Usage

_NO_DECAY = Decay()


class Lens:
    """What makes a memory of the truth one that is shown, and what keeps secrets out of the truth."""

    def __init__(
        self, usage: Usage, *, clock: Callable[[], float], decay: Decay = _NO_DECAY, seal: Seal | None = None
    ) -> None:
        self._usage = usage
        self._clock = clock
        self._decay = decay
        self._seal = seal

    async def look(self, memories: Iterable[Memory]) -> list[Memory]:
        """The memories as they are seen now, in the same order."""
        found = list(memories)
        scales = await self._usage.scales({memory.namespace for memory in found})
        now = self._clock()
        return [self._seen(memory, scales[memory.namespace], now) for memory in found]

    def sealed(self, memories: Sequence[NewMemory]) -> list[NewMemory]:
        """The memories as the truth may hold them."""
        return [self._seal.seal(memory) for memory in memories] if self._seal else list(memories)

    def secrets(self, payload: Mapping[str, Any]) -> frozenset[str]:
        """The fields of a payload that may not be copied to another name."""
        return self._seal.secrets(payload) if self._seal else frozenset()

    def outline(self, memory: NewMemory) -> NewMemory:
        """The memory as an index may know it."""
        return self._seal.outline(memory) if self._seal else memory

    def opened(self, memory: Memory) -> Memory:
        """The memory without a seal, but otherwise as the truth holds it."""
        return self._seal.open(memory) if self._seal and memory.locked else memory

    def stored(self, memories: Sequence[NewMemory]) -> None:
        """Learn from memories that were just committed."""
        for namespace in {memory.namespace for memory in memories}:
            self._usage.stored(namespace, (each.importance for each in memories if each.namespace == namespace))

    def _seen(self, memory: Memory, scale: Scale, now: float) -> Memory:
        opened = self.opened(memory)
        payload = self._decay.remaining(opened.payload, now - opened.updated_at)
        return replace(opened, payload=payload, importance_norm=scale.norm(opened.importance))


class SeenRecords:
    """Implements the port Records over another one: reads through a lens."""

    def __init__(self, records: Records, lens: Lens) -> None:
        self._records = records
        self._lens = lens
        self._look = lens.look
        self.lookups: Lookups = SeenLookups(records.lookups, lens)
        self.transfers: Transfers = SeenTransfers(records.transfers, lens)
        self.request_keys = records.request_keys

    @property
    def links(self) -> Links:
        return self._records.links

    @property
    def recollections(self) -> Recollections:
        return self._records.recollections

    @property
    def states(self) -> TruthStates:
        return self._records.states

    @property
    def erasures(self) -> Erasures:
        return self._records.erasures

    @property
    def care(self) -> Care:
        return self._records.care

    @property
    def audits(self) -> Audits:
        return self._records.audits

    async def ping(self) -> None:
        await self._records.ping()

    async def save(self, memories: Sequence[NewMemory]) -> Sequence[Saved]:
        saved = await self._records.save(self._lens.sealed(memories))
        self._lens.stored(memories)
        return saved

    async def replace(self, memory: NewMemory, *, expected: int) -> Saved | None:
        (sealed,) = self._lens.sealed([memory])
        saved = await self._records.replace(sealed, expected=expected)
        if saved is not None:
            self._lens.stored([memory])
        return saved

    async def delete(self, ids: Sequence[UUID], *, expected: int | None = None) -> Sequence[Saved]:
        return await self._records.delete(ids, expected=expected)

    async def get(self, ids: Sequence[UUID]) -> Mapping[UUID, Memory]:
        return {memory.id: memory for memory in await self._look((await self._records.get(ids)).values())}

    async def find_text(self, query: str, search: Search) -> Sequence[tuple[Memory, float]]:
        found = await self._records.find_text(query, search)
        seen = await self._look(memory for memory, _ in found)
        return [(memory, score) for memory, (_, score) in zip(seen, found, strict=True)]

    async def count(self, namespace: str) -> Counts:
        return await self._records.count(namespace)

    async def scan(self, after: UUID | None, limit: int) -> Sequence[Memory]:
        return await self._look(await self._records.scan(after, limit))


class SeenLookups:
    """Implements the port Lookups over another one."""

    def __init__(self, lookups: Lookups, lens: Lens) -> None:
        self._lookups = lookups
        self._look = lens.look

    async def find_term(
        self, term: Term, *, namespace: str, memory_type: MemoryType | None, limit: int
    ) -> Sequence[Memory]:
        found = await self._lookups.find_term(term, namespace=namespace, memory_type=memory_type, limit=limit)
        return await self._look(found)

    async def versions(self, place: UUID) -> Sequence[Memory]:
        return await self._look(await self._lookups.versions(place))

    async def page(
        self, *, namespace: str, memory_type: MemoryType | None, after: Coordinate | None, limit: int
    ) -> Sequence[Memory]:
        found = await self._lookups.page(namespace=namespace, memory_type=memory_type, after=after, limit=limit)
        return await self._look(found)

    async def within(self, box: Box, *, after: Coordinate | None, limit: int) -> Sequence[Coordinate]:
        return await self._lookups.within(box, after=after, limit=limit)

    async def around(self, place: Coordinate, search: Search) -> Sequence[Coordinate]:
        return await self._lookups.around(place, search)

    async def foremost(
        self, order: Order, *, namespace: str, memory_type: MemoryType | None, limit: int
    ) -> Sequence[Memory]:
        found = await self._lookups.foremost(order, namespace=namespace, memory_type=memory_type, limit=limit)
        return await self._look(found)


class SeenTransfers:
    """Implements the port Transfers over another one: what leaves is open, what comes is sealed."""

    def __init__(self, transfers: Transfers, lens: Lens) -> None:
        self._transfers = transfers
        self._lens = lens
        self.begin = transfers.begin
        self.restore_links = transfers.restore_links
        self.foreign_to = transfers.foreign_to
        self.finish = transfers.finish

    async def histories(self, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Memory]]:
        found = await self._transfers.histories(ids)
        return {place: await self._lens.look(versions) for place, versions in found.items()}

    async def restore(
        self, items: Sequence[Restored], *, under: Import | None, view: Callable[[Memory], Memory] | None = None
    ) -> Sequence[Placed]:
        placed = await self._transfers.restore(
            [self._sealed(item) for item in items], under=under, view=view or self._lens.opened
        )
        pairs = zip(items, placed, strict=True)
        self._lens.stored([item.memory for item, place in pairs if place.fate is not Fate.UNCHANGED])
        return placed

    def _sealed(self, item: Restored) -> Restored:
        versions = tuple(map(self._sealed, item.versions))
        (memory,) = self._lens.sealed([item.memory])
        return replace(item, memory=memory, plain=item.memory, versions=versions)
