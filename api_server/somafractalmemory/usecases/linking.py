"""The use cases of links: link, unlink, look at the neighbours, find a path."""

from collections.abc import Callable, Sequence
from uuid import UUID

from somafractalmemory.errors import InvalidRequest, NotFound
from somafractalmemory.model import Coordinate, canonical, memory_id, nobody_at
from somafractalmemory.model.graph import Edge, Link, LinkMark, NewLink, PlacedLink, shortest_path
from somafractalmemory.ports import Records

_ITSELF = "a memory cannot be linked to itself"


class Linking:
    """Links live with the truth, so every process sees the same ones and none is lost."""

    def __init__(self, *, records: Records, written: Callable[[], None]) -> None:
        self._records = records
        self._written = written

    async def link(
        self, *, namespace: str, source: Coordinate, target: Coordinate, link_type: str, weight: float
    ) -> None:
        """Link two memories; a link of this type that exists gets the new weight. Raises NotFound, InvalidRequest."""
        if source == target:
            raise InvalidRequest(_ITSELF, loc=("to_coord",))
        await self._put(namespace, [NewLink(source, target, link_type, weight)])

    async def link_many(self, *, namespace: str, links: Sequence[NewLink]) -> int:
        """Put all links, or none; of several of one type between the same memories the last one counts.

        Answers how many there are now of them. Raises NotFound, InvalidRequest.
        """
        for number, link in enumerate(links):
            if link.source == link.target:
                raise InvalidRequest(f"link {number}: {_ITSELF}", loc=("links", number, "to_coord"))
        last = list({(link.source, link.target, link.type): link for link in links}.values())
        if last:
            await self._put(namespace, last)
        return len(last)

    async def _put(self, namespace: str, links: Sequence[NewLink]) -> None:
        places = {memory_id(namespace, end): end for link in links for end in (link.source, link.target)}
        rows = [
            Link(memory_id(namespace, link.source), memory_id(namespace, link.target), link.type, link.weight)
            for link in links
        ]
        missing = await self._records.links.link_many(
            [
                (row, row.event_payload(source=link.source, target=link.target))
                for row, link in zip(rows, links, strict=True)
            ]
        )
        if missing:
            raise nobody_at(places[missing[0]])
        self._written()

    async def page(
        self, *, namespace: str, link_type: str | None, after: LinkMark | None, limit: int
    ) -> Sequence[PlacedLink]:
        """The links of the namespace in the order of their sources, from behind `after` on."""
        return await self._records.links.page(namespace=namespace, link_type=link_type, after=after, limit=limit)

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
                raise nobody_at(coordinate)
