"""Erasing in this process."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Protocol
from uuid import UUID

from somafractalmemory.adapters.local_audits import LocalAudits
from somafractalmemory.adapters.local_links import LocalLinks
from somafractalmemory.adapters.local_lookups import LocalLookups
from somafractalmemory.model import Memory
from somafractalmemory.model.events import EventType, MemoryEvent


class _Truth(Protocol):
    """What it needs of `LocalRecords`."""

    log: dict[UUID, MemoryEvent]
    links: LocalLinks
    lookups: LocalLookups
    audits: LocalAudits
    erased: dict[UUID, tuple[int, float]]


class LocalErasures:
    """Implements the port Erasures; `note` writes to the outbox."""

    def __init__(
        self,
        truth: _Truth,
        rows: MutableMapping[UUID, Memory],
        outbox: MutableMapping[int, MemoryEvent],
        *,
        check: Callable[[], None],
        note: Callable[[Memory, EventType, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._truth = truth
        self._rows = rows
        self._outbox = outbox
        self._check = check
        self._note = note
        self._clock = clock

    async def erase(self, ids: Sequence[UUID]) -> Mapping[str, int]:
        self._check()
        wanted = set(ids)
        counts = {
            "memories": sum(not self._rows[place].deleted for place in wanted & self._rows.keys()),
            "tombstones": sum(self._rows[place].deleted for place in wanted & self._rows.keys()),
            "versions": sum(len(self._truth.lookups.older.get(place, ())) for place in wanted),
            "links": self._truth.links.count(wanted),
            "logged_events": 0,
            "unpublished_events": self._forget_news(wanted),
        }
        logged = {event.id for event in self._truth.log.values()}
        counts["logged_events"] = self._forget_events([k for k, event in self._truth.log.items() if event.id in wanted])
        for place in wanted & (self._rows.keys() | logged):
            self._erase_one(place)
        return counts

    def _erase_one(self, place: UUID) -> None:
        row = self._rows.pop(place, None)
        version = max((row.version if row else 0) + 1, self._truth.erased.get(place, (0, 0.0))[0])
        self._truth.erased[place] = version, self._clock()
        self._truth.links.forget(place)
        self._truth.lookups.forget(place)
        if row is not None and not row.deleted:
            gone = Memory(
                row.id, row.namespace, row.coordinate, row.memory_type, {}, 0.0, None, version, 0.0, 0.0, deleted=True
            )
            self._note(gone, "deleted", "{}")

    def _forget_news(self, ids: set[UUID]) -> int:
        """That a memory is gone stays to be told."""
        doomed = [key for key, event in self._outbox.items() if event.id in ids and event.type != "deleted"]
        for key in doomed:
            del self._outbox[key]
        return len(doomed)

    def _forget_events(self, event_ids: Sequence[UUID]) -> int:
        for key in event_ids:
            event = self._truth.log.pop(key)
            if event.id not in self._rows:
                version, _ = self._truth.erased.get(event.id, (0, 0.0))
                self._truth.erased[event.id] = max(version, (event.version or 0) + 1), self._clock()
        return len(event_ids)

    async def erase_rest(self, namespace: str, limit: int) -> Mapping[str, int]:
        self._check()
        events = self._forget_events([k for k, e in self._truth.log.items() if e.namespace == namespace][:limit])
        audits = self._truth.audits.erase(namespace, None)
        return {"logged_events": events, "audit_rows": audits, "request_keys": 0, "importance_scales": 0}

    async def erase_trail(self, namespace: str, place: UUID, limit: int) -> int:  # noqa: ARG002  # nothing is slow here
        self._check()
        return self._truth.audits.erase(namespace, place)
