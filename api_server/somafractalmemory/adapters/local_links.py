"""Links in this process, beside the memories of `LocalRecords`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from uuid import UUID

from somafractalmemory.model import Coordinate, Memory, memory_id
from somafractalmemory.model.events import EventType
from somafractalmemory.model.graph import Edge, Link, LinkMark, PlacedLink


class LocalLinks:
    """Links in a dictionary, `rows`; `check` raises while the truth is away, `note` writes to its outbox."""

    def __init__(
        self,
        rows: Mapping[UUID, Memory],
        *,
        check: Callable[[], None],
        note: Callable[[Memory, EventType, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._memories = rows
        self._check = check
        self._note = note
        self._clock = clock
        self.rows: dict[tuple[UUID, str, UUID], tuple[float, float]] = {}

    async def link(self, link: Link, payload_json: str) -> Sequence[UUID]:
        return await self.link_many([(link, payload_json)])

    async def link_many(self, links: Sequence[tuple[Link, str]]) -> Sequence[UUID]:
        self._check()
        ends = dict.fromkeys(place for link, _ in links for place in (link.source, link.target))
        missing = [place for place in ends if not self.lives(place)]
        for link, payload_json in links if not missing else ():
            key = (link.source, link.type, link.target)
            _, since = self.rows.get(key, (0.0, self._clock()))
            self.rows[key] = (link.weight, since)
            self._note(self._memories[link.source], "linked", payload_json)
        return missing

    async def unlink(self, link: Link, payload_json: str) -> bool:
        self._check()
        if self.rows.pop((link.source, link.type, link.target), None) is None:
            return False
        self._note(self._memories[link.source], "linked", payload_json)
        return True

    async def edges(self, sources: Sequence[UUID], link_type: str | None, limit: int) -> Sequence[Edge]:
        self._check()
        wanted = set(sources)
        found = [
            Edge(source, target, self._memories[target].coordinate, kind, weight, since)
            for (source, kind, target), (weight, since) in self.rows.items()
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
                _order(self._memories[source].coordinate, kind, target),
                PlacedLink(self._memories[source].coordinate, self._memories[target].coordinate, kind, weight, since),
            )
            for (source, kind, target), (weight, since) in self.rows.items()
            if self._memories[source].namespace == namespace and link_type in {None, kind}
        ]
        found.sort(key=lambda item: item[0])
        return [link for order, link in found if behind is None or order > behind][:limit]

    def count(self, places: Collection[UUID]) -> int:
        """How many lead from or to these."""
        return sum(key[0] in places or key[2] in places for key in self.rows)

    def forget(self, place: UUID) -> None:
        """Drop every link of a deleted memory."""
        for key in [key for key in self.rows if place in {key[0], key[2]}]:
            del self.rows[key]

    def lives(self, place: UUID) -> bool:
        """Whether a link may have this end."""
        return place in self._memories and not self._memories[place].deleted


def _order(source: Coordinate, kind: str, target: UUID) -> tuple[int, Coordinate, bytes, UUID]:
    return len(source), source, kind.encode(), target
