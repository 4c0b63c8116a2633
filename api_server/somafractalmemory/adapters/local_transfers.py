"""Taking memories out of this process and putting them back, beside `LocalRecords`."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID, uuid4

import orjson

from somafractalmemory.adapters.local_links import LocalLinks
from somafractalmemory.adapters.local_lookups import LocalLookups
from somafractalmemory.model import Memory, memory_id
from somafractalmemory.model.events import EventType
from somafractalmemory.model.graph import Link, PlacedLink
from somafractalmemory.model.restoring import Fate, Placed, Restored, as_it_is, fate
from somafractalmemory.ports import Import

LinkKey = tuple[UUID, str, UUID]


class LocalTransfers:
    """`check` raises while the truth is away, `note` writes to its outbox."""

    def __init__(
        self,
        rows: dict[UUID, Memory],
        links: LocalLinks,
        lookups: LocalLookups,
        *,
        check: Callable[[], None],
        note: Callable[[Memory, EventType, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._rows = rows
        self._links = links
        self._lookups = lookups
        self._check = check
        self._note = note
        self._clock = clock
        self._marks: dict[UUID, set[UUID | LinkKey]] = {}

    async def histories(self, ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Memory]]:
        self._check()
        return {place: past for place in ids if (past := self._lookups.past(place))}

    async def begin(self) -> Import:
        self._check()
        started = Import(uuid4(), self._clock())
        self._marks[started.mark] = set()
        return started

    async def restore(
        self, items: Sequence[Restored], *, under: Import | None, view: Callable[[Memory], Memory] | None = None
    ) -> Sequence[Placed]:
        self._check()
        answers = []
        for item in items:
            old = self._rows.get(item.memory.id)
            placed = fate(view(old) if old and view else old, item)
            if placed.fate is not Fate.UNCHANGED:
                self._put(item, placed, exactly=under is not None)
            if under is not None:
                self._marks[under.mark].add(placed.id)
            answers.append(placed)
        return answers

    def _put(self, item: Restored, placed: Placed, *, exactly: bool) -> None:
        old, row = self._rows.get(placed.id), as_it_is(item, version=placed.version)
        past = {version.version: as_it_is(version) for version in item.versions}
        if old is not None and not old.deleted and not exactly:
            past |= {version.version: version for version in [*self._lookups.past(placed.id), old]}
        self._lookups.rewrite(placed.id, sorted(past.values(), key=lambda version: -version.version)[:20])
        self._rows[placed.id] = row
        self._note(row, "created" if placed.fate is Fate.CREATED else "updated", item.memory.payload_json)

    async def restore_links(
        self, namespace: str, links: Sequence[PlacedLink], *, under: Import | None
    ) -> Sequence[PlacedLink]:
        self._check()
        missing = []
        for link in links:
            key = (memory_id(namespace, link.source), link.type, memory_id(namespace, link.target))
            if not (self._links.lives(key[0]) and self._links.lives(key[2])):
                missing.append(link)
                continue
            if self._links.rows.get(key) != (link.weight, link.timestamp):
                self._links.rows[key] = (link.weight, link.timestamp)
                told = Link(key[0], key[2], link.type, link.weight)
                self._note(self._rows[key[0]], "linked", told.event_payload(source=link.source, target=link.target))
            if under is not None:
                self._marks[under.mark].add(key)
        return missing

    async def foreign_to(self, namespace: str, under: Import, limit: int) -> Sequence[UUID]:
        self._check()
        marked = self._marks[under.mark]
        return [
            place
            for place, row in sorted(self._rows.items())
            if row.namespace == namespace and not row.deleted and row.updated_at < under.since and place not in marked
        ][:limit]

    async def finish(self, namespace: str, under: Import) -> int:
        self._check()
        marked = self._marks.pop(under.mark)
        foreign = [
            key
            for key, (_, since) in self._links.rows.items()
            if self._rows[key[0]].namespace == namespace and since < under.since and key not in marked
        ]
        for key in foreign:
            weight, _ = self._links.rows.pop(key)
            payload = {"to_id": str(key[2]), "link_type": key[1], "weight": weight, "removed": True}
            self._note(self._rows[key[0]], "linked", orjson.dumps(payload).decode())
        return len(foreign)
