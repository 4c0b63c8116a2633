"""The use cases of remembering without a question: the latest, the most important, some by chance, those linked."""

from collections.abc import Sequence
from uuid import UUID

from somafractalmemory.errors import InvalidRequest
from somafractalmemory.model import Coordinate, Memory, MemoryType, memory_id, nobody_at, searchable_text
from somafractalmemory.ports import Order, Records

MAX_DEPTH = 16
_SUMMARY = 200
_TITLES = ("task", "fact")


class Recollecting:
    """Reads of the truth; the index is not asked."""

    def __init__(self, *, records: Records) -> None:
        self._records = records

    async def recent(self, *, namespace: str, memory_type: MemoryType | None, limit: int) -> Sequence[Memory]:
        """The latest first, by their own time, else by when they were stored."""
        return await self._records.lookups.foremost(
            Order.LATEST, namespace=namespace, memory_type=memory_type, limit=limit
        )

    async def important(self, *, namespace: str, memory_type: MemoryType | None, limit: int) -> Sequence[Memory]:
        """The most important first, of equals the one stored last."""
        return await self._records.lookups.foremost(
            Order.IMPORTANT, namespace=namespace, memory_type=memory_type, limit=limit
        )

    async def sample(self, *, namespace: str, memory_type: MemoryType | None, limit: int) -> Sequence[Memory]:
        """Some by chance, each as likely as any other."""
        ids = await self._records.recollections.sample(namespace=namespace, memory_type=memory_type, limit=limit)
        return await self._living(ids)

    async def at(self, *, namespace: str, coordinates: Sequence[Coordinate]) -> Sequence[Memory]:
        """Those that live at these places, in this order."""
        return await self._living([memory_id(namespace, coordinate) for coordinate in coordinates])

    async def linked(
        self, *, namespace: str, coordinate: Coordinate, link_type: str | None, depth: int, limit: int
    ) -> Sequence[Memory]:
        """The memories that links lead to from here in at most `depth` steps, the nearest first; itself left out.

        Raises NotFound when nothing lives here, InvalidRequest for a depth that is none.
        """
        if not 1 <= depth <= MAX_DEPTH:
            raise InvalidRequest(f"depth is 1 to {MAX_DEPTH}", loc=("depth",))
        start = memory_id(namespace, coordinate)
        if not await self._living([start]):
            raise nobody_at(coordinate)
        reached: dict[UUID, None] = {start: None}
        edge = [start]
        for _ in range(depth):
            links = await self._records.links.edges(edge, link_type, limit * 4)
            edge = [place for place in dict.fromkeys(link.target for link in links) if place not in reached]
            reached |= dict.fromkeys(edge)
            if not edge or len(reached) > limit:
                break
        return await self._living(list(reached)[1 : limit + 1])

    async def _living(self, ids: Sequence[UUID]) -> Sequence[Memory]:
        found = await self._records.get(ids)
        return [found[place] for place in dict.fromkeys(ids) if place in found and not found[place].deleted]


def summary_of(memory: Memory) -> str:
    """What a memory is about, in a line: its task or fact, else how its text begins."""
    named = next((memory.payload[name] for name in _TITLES if memory.payload.get(name)), None)
    return str(named) if named is not None else searchable_text(memory.payload)[:_SUMMARY]
