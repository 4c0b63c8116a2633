"""Links in this process, beside the memories of `LocalRecords`."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from somafractalmemory.events import EventType
from somafractalmemory.graph import Edge, Link
from somafractalmemory.model import Memory


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
        self._check()
        missing = [place for place in (link.source, link.target) if not self._lives(place)]
        if not missing:
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

    def forget(self, place: UUID) -> None:
        """Drop every link of a deleted memory."""
        for key in [key for key in self._links if place in {key[0], key[2]}]:
            del self._links[key]

    def _lives(self, place: UUID) -> bool:
        return place in self._rows and not self._rows[place].deleted
