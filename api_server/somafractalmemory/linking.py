"""The use cases of links: link, unlink, look at the neighbours, find a path."""

from collections.abc import Callable, Sequence
from uuid import UUID

from somafractalmemory.errors import InvalidRequest, NotFound
from somafractalmemory.graph import Edge, Link, shortest_path
from somafractalmemory.model import Coordinate, canonical, memory_id
from somafractalmemory.ports import Records


class Linking:
    """Links live with the truth, so every process sees the same ones and none is lost."""

    def __init__(self, *, records: Records, written: Callable[[], None]) -> None:
        self._records = records
        self._written = written

    async def link(
        self, *, namespace: str, source: Coordinate, target: Coordinate, link_type: str, weight: float
    ) -> None:
        """Link two memories; a link of this type that exists gets the new weight. Raises NotFound, InvalidRequest."""
        link = Link(memory_id(namespace, source), memory_id(namespace, target), link_type, weight)
        if link.source == link.target:
            raise InvalidRequest("a memory cannot be linked to itself", loc=("to_coord",))
        missing = await self._records.links.link(link, link.event_payload(source=source, target=target))
        if missing:
            raise _missing(source if link.source in missing else target)
        self._written()

    async def unlink(self, *, namespace: str, source: Coordinate, target: Coordinate, link_type: str) -> None:
        """Remove the link of this type. Raises NotFound."""
        link = Link(memory_id(namespace, source), memory_id(namespace, target), link_type, 0.0)
        payload = link.event_payload(source=source, target=target, removed=True)
        if not await self._records.links.unlink(link, payload):
            raise NotFound(f"no link of type {link_type!r} leads from {canonical(source)} to {canonical(target)}")
        self._written()

    async def neighbours(
        self, *, namespace: str, coordinate: Coordinate, link_type: str | None, limit: int
    ) -> Sequence[Edge]:
        """The links that lead from this memory, oldest first. Raises NotFound."""
        place = memory_id(namespace, coordinate)
        edges = await self._records.links.edges([place], link_type, limit)
        if not edges:
            await self._check_living({place: coordinate})
        return edges

    async def shortest_path(
        self, *, namespace: str, source: Coordinate, target: Coordinate, link_type: str | None
    ) -> Sequence[Coordinate]:
        """The places along the lightest path, both ends among them; none when no path leads there.

        Raises NotFound for an end that does not live, InvalidRequest when the search exceeds its bound.
        """
        start, goal = memory_id(namespace, source), memory_id(namespace, target)
        await self._check_living({start: source, goal: target})

        async def outgoing(places: Sequence[UUID], limit: int) -> Sequence[Edge]:
            return await self._records.links.edges(places, link_type, limit)

        path = await shortest_path(start, goal, outgoing)
        return [] if path is None else [source, *(edge.coordinate for edge in path)]

    async def _check_living(self, places: dict[UUID, Coordinate]) -> None:
        memories = await self._records.get(list(places))
        for place, coordinate in places.items():
            if place not in memories or memories[place].deleted:
                raise _missing(coordinate)


def _missing(coordinate: Coordinate) -> NotFound:
    return NotFound(f"no memory lives at {canonical(coordinate)}")
