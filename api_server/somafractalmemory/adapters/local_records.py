"""The truth in this process."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID, uuid4

from somafractalmemory.adapters.local_audits import LocalAudits
from somafractalmemory.adapters.local_care import LocalCare
from somafractalmemory.adapters.local_erasures import LocalErasures
from somafractalmemory.adapters.local_keys import LocalKeys
from somafractalmemory.adapters.local_links import LocalLinks
from somafractalmemory.adapters.local_lookups import LocalLookups
from somafractalmemory.adapters.local_recollections import LocalRecollections
from somafractalmemory.adapters.local_states import LocalTruthStates
from somafractalmemory.adapters.local_switch import Switchable
from somafractalmemory.adapters.local_transfers import LocalTransfers
from somafractalmemory.errors import Rejected
from somafractalmemory.model import Counts, Memory, MemoryType, NewMemory, Saved, fulfils, searchable_text
from somafractalmemory.model.events import EventType, MemoryEvent
from somafractalmemory.ports import OutboxDepth, Search
from somafractalmemory.ports.care import Deed
from somafractalmemory.security.acting import actor

_WORD = re.compile(r"\w+")


class LocalRecords(Switchable):
    """The truth in a dictionary, with its outbox and its event log."""

    def __init__(self, clock: Callable[[], float] = time.time, *, audited: bool = True) -> None:
        super().__init__("postgres")
        self._audited = audited
        self._clock = clock
        self._rows: dict[UUID, Memory] = {}
        self._outbox: dict[int, MemoryEvent] = {}
        self._number = 0
        self.log: dict[UUID, MemoryEvent] = {}
        self.links = LocalLinks(self._rows, check=self._check, note=self._note, clock=clock)
        self.lookups = LocalLookups(self._rows, check=self._check)
        self.recollections = LocalRecollections(self._rows, check=self._check)
        self.states = LocalTruthStates(lambda: self._rows | self._foreign(), check=self._check)
        self.audits = LocalAudits(check=self._check, clock=clock)
        self.care = LocalCare(
            self,
            self._rows,
            self.lookups.older,
            check=self._check,
            note=self._note,
            keep=self.lookups.keep,
            clock=clock,
        )
        self.erased: dict[UUID, tuple[int, float]] = {}
        self.erasures = LocalErasures(self, self._rows, self._outbox, check=self._check, note=self._note, clock=clock)
        self.request_keys = LocalKeys(check=self._check, clock=clock)
        self.transfers = LocalTransfers(
            self._rows, self.links, self.lookups, check=self._check, note=self._note, clock=clock
        )

    async def save(self, memories: Sequence[NewMemory]) -> Sequence[Saved]:
        self._check()
        for memory in memories:
            if "\x00" in memory.payload_json or "\\u0000" in memory.payload_json:
                raise Rejected("a payload cannot hold the NUL character")
        return [self._save(memory) for memory in memories]

    def _save(self, new: NewMemory) -> Saved:
        now, old = self._clock(), self._rows.get(new.id)
        created = old is None or old.deleted
        row = Memory(
            id=new.id,
            namespace=new.namespace,
            coordinate=new.coordinate,
            memory_type=new.memory_type,
            payload=new.payload,
            importance=new.importance,
            timestamp=new.timestamp,
            version=(old.version if old else self.erased.get(new.id, (0, 0.0))[0]) + 1,
            created_at=now if old is None or old.deleted else old.created_at,
            updated_at=now,
            access_count=old.access_count if old else 0,
            accessed_at=old.accessed_at if old else None,
        )
        if old is not None and not old.deleted:
            self.lookups.keep(old)
        self._rows[new.id] = row
        self._note(row, "created" if created else "updated", new.payload_json)
        return Saved(new.id, row.version, created)

    def _note(self, row: Memory, kind: EventType, payload_json: str) -> None:
        self._number += 1
        self._outbox[self._number] = MemoryEvent(
            event_id=uuid4(),
            id=row.id,
            namespace=row.namespace,
            type=kind,
            timestamp=self._clock(),
            payload_json=payload_json,
            version=row.version,
            coordinate=row.coordinate,
            memory_type=row.memory_type.value,
        )

    async def replace(self, memory: NewMemory, *, expected: int) -> Saved | None:
        self._check()
        old = self._rows.get(memory.id)
        if old is None or old.deleted or old.version != expected:
            return None
        (saved,) = await self.save([memory])
        return saved

    async def delete(self, ids: Sequence[UUID], *, expected: int | None = None) -> Sequence[Saved]:
        self._check()
        answers = []
        for place in ids:
            old = self._rows.get(place)
            if old is None or old.deleted or expected not in {None, old.version}:
                continue
            row = Memory(
                id=place,
                namespace=old.namespace,
                coordinate=old.coordinate,
                memory_type=old.memory_type,
                payload={},
                importance=0.0,
                timestamp=None,
                version=old.version + 1,
                created_at=old.created_at,
                updated_at=self._clock(),
                deleted=True,
            )
            self._rows[place] = row
            self.links.forget(place)
            self.lookups.forget(place)
            self._note(row, "deleted", "{}")
            answers.append(Saved(place, row.version, created=False))
            if self._audited:
                deed = Deed("delete", row.namespace, row.coordinate, place)
                await self.audits.append([(deed, actor().name, actor().request_id)])
        return answers

    async def get(self, ids: Sequence[UUID]) -> Mapping[UUID, Memory]:
        self._check()
        foreign = self._foreign()
        return {place: row for place in ids if (row := self._rows.get(place) or foreign.get(place))}

    def _foreign(self) -> dict[UUID, Memory]:
        """The memories that only foreign events tell of, each by its latest event."""
        latest: dict[UUID, Memory] = {}
        for event in self.log.values():
            memory = event.foreign_memory() if event.foreign and event.id not in self._rows else None
            if memory and (event.id not in latest or latest[event.id].version <= memory.version):
                latest[event.id] = memory
        return latest

    async def find_text(self, query: str, search: Search) -> Sequence[tuple[Memory, float]]:
        self._check()
        words = set(_WORD.findall(query.lower()))
        scored = []
        for row in self._rows.values():
            if row.deleted or row.namespace != search.namespace or search.memory_type not in {None, row.memory_type}:
                continue
            counts = Counter(_WORD.findall(searchable_text(row.payload).lower()))
            score = float(sum(counts[word] for word in words))
            if score and fulfils(row.payload, search.filters):
                scored.append((row, score))
        scored.sort(key=lambda pair: -pair[1])
        return scored[: search.limit]

    async def count(self, namespace: str) -> Counts:
        self._check()
        types = Counter(
            row.memory_type for row in self._rows.values() if row.namespace == namespace and not row.deleted
        )
        return Counts(episodic=types[MemoryType.EPISODIC], semantic=types[MemoryType.SEMANTIC])

    async def scan(self, after: UUID | None, limit: int) -> Sequence[Memory]:
        self._check()
        rows = self._rows | self._foreign()
        ids = sorted(place for place, row in rows.items() if not row.deleted and (after is None or place > after))
        return [rows[place] for place in ids[:limit]]

    async def lead(self) -> bool:
        self._check()
        return True

    async def pending(self, limit: int) -> Sequence[tuple[int, MemoryEvent]]:
        self._check()
        return list(self._outbox.items())[:limit]

    async def done(self, numbers: Sequence[int]) -> None:
        self._check()
        for number in numbers:
            self._outbox.pop(number, None)

    async def depth(self) -> OutboxDepth:
        self._check()
        oldest = next(iter(self._outbox.values()), None)
        return OutboxDepth(len(self._outbox), self._clock() - oldest.timestamp if oldest else 0.0)

    async def append(self, events: Sequence[MemoryEvent]) -> None:
        self._check()
        for event in events:
            if "\\u0000" in event.payload_json or "\x00" in event.namespace:
                raise Rejected("an event cannot hold the NUL character")
            if event.version is not None and event.version >= 2**63:
                raise Rejected("an event's version is too large")
        for event in events:
            if not self._is_erased(event):
                self.log.setdefault(event.event_id, event)

    def _is_erased(self, event: MemoryEvent) -> bool:
        if event.id not in self.erased:
            return False
        version, moment = self.erased[event.id]
        return event.timestamp <= moment if event.version is None else event.version <= version
