"""Links in this process, beside the memories of `LocalRecords`."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from somafractalmemory.events import EventType
from somafractalmemory.graph import Edge, Link, LinkMark, PlacedLink
from somafractalmemory.model import Coordinate, Memory, memory_id


class LocalLinks:
    """Links in a dictionary; `check` raises while the truth is away, `note` writes to its outbox."""

    def __init__(
        self,
        rows: Mapping[UUID, Memory],
        *,
        check: Callable[[], None],
        note: Callable[[Memory, EventType, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._rows = rows
        self._check = check
        self._note = note
        self._clock = clock
        self._links: dict[tuple[UUID, str, UUID], tuple[float, float]] = {}

    async def link(self, link: Link, payload_json: str) -> Sequence[UUID]:
        return await self.link_many([(link, payload_json)])

    async def link_many(self, links: Sequence[tuple[Link, str]]) -> Sequence[UUID]:
        self._check()
        ends = dict.fromkeys(place for link, _ in links for place in (link.source, link.target))
        missing = [place for place in ends if not self._lives(place)]
        for link, payload_json in links if not missing else ():
            key = (link.source, link.type, link.target)
            _, since = self._links.get(key, (0.0, self._clock()))
            self._links[key] = (link.weight, since)
            self._note(self._rows[link.source], "linked", payload_json)
        return missing

    async def unlink(self, link: Link, payload_json: str) -> bool:
        self._check()
        if self._links.pop((link.source, link.type, link.target), None) is None:
            return False
        self._note(self._rows[link.source], "linked", payload_json)
        return True

    async def edges(self, sources: Sequence[UUID], link_type: str | None, limit: int) -> Sequence[Edge]:
        self._check()
        wanted = set(sources)
        found = [
            Edge(source, target, self._rows[target].coordinate, kind, weight, since)
            for (source, kind, target), (weight, since) in self._links.items()
            if source in wanted and link_type in {None, kind}
        ]
        found.sort(key=lambda edge: (edge.timestamp, edge.target, edge.type))
        return found[:limit]

    async def page(
        self, *, namespace: str, link_type: str | None, after: LinkMark | None, limit: int
    ) -> Sequence[PlacedLink]:
        self._check()
        behind = None if after is None else _order(after[0], after[1], memory_id(namespace, after[2]))
        found = [
            (
                _order(self._rows[source].coordinate, kind, target),
                PlacedLink(self._rows[source].coordinate, self._rows[target].coordinate, kind, weight, since),
            )
            for (source, kind, target), (weight, since) in self._links.items()
            if self._rows[source].namespace == namespace and link_type in {None, kind}
        ]
        found.sort(key=lambda item: item[0])
        return [link for order, link in found if behind is None or order > behind][:limit]

    def forget(self, place: UUID) -> None:
        """Drop every link of a deleted memory."""
        for key in [key for key in self._links if place in {key[0], key[2]}]:
            del self._links[key]

    def _lives(self, place: UUID) -> bool:
        return place in self._rows and not self._rows[place].deleted


def _order(source: Coordinate, kind: str, target: UUID) -> tuple[int, Coordinate, bytes, UUID]:
    return len(source), source, kind.encode(), target
