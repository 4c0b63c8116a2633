"""Lookups in this process, from end to end of the memories of `LocalRecords`."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from somafractalmemory.model import Coordinate, Memory, MemoryType, fulfils, searchable_text
from somafractalmemory.model.wording import Term, occurs
from somafractalmemory.ports import Box, Order, Search

_KEPT = 20


class LocalLookups:
    """`check` raises while the truth is away."""

    def __init__(self, rows: Mapping[UUID, Memory], *, check: Callable[[], None]) -> None:
        self._rows = rows
        self._check = check
        self.older: dict[UUID, deque[Memory]] = {}

    async def find_term(
        self, term: Term, *, namespace: str, memory_type: MemoryType | None, limit: int
    ) -> Sequence[Memory]:
        self._check()
        found = [row for row in self._living(namespace, memory_type) if occurs(term, searchable_text(row.payload))]
        found.sort(key=lambda row: (-row.updated_at, row.id))
        return found[:limit]

    async def versions(self, place: UUID) -> Sequence[Memory]:
        self._check()
        row = self._rows.get(place)
        return [] if row is None or row.deleted else [row, *reversed(self.older.get(place, ()))]

    def keep(self, row: Memory) -> None:
        """Remember what a memory was, until it is deleted."""
        self.older.setdefault(row.id, deque(maxlen=_KEPT)).append(row)

    def past(self, place: UUID) -> list[Memory]:
        """What a memory was before, newest first."""
        return list(reversed(self.older.get(place, ())))

    def rewrite(self, place: UUID, past: Sequence[Memory]) -> None:
        """Take this for what a memory was before, newest first."""
        self.older[place] = deque(reversed(past), maxlen=_KEPT)

    def forget(self, place: UUID) -> None:
        """Drop what a deleted memory was."""
        self.older.pop(place, None)

    async def page(
        self, *, namespace: str, memory_type: MemoryType | None, after: Coordinate | None, limit: int
    ) -> Sequence[Memory]:
        self._check()
        rows = sorted(self._living(namespace, memory_type), key=lambda row: (len(row.coordinate), row.coordinate))
        behind = [row for row in rows if after is None or (len(row.coordinate), row.coordinate) > (len(after), after)]
        return behind[:limit]

    async def within(self, box: Box, *, after: Coordinate | None, limit: int) -> Sequence[Coordinate]:
        self._check()
        places = sorted(
            row.coordinate
            for row in self._living(box.namespace, box.memory_type)
            if len(row.coordinate) == len(box.low)
            and all(low <= at <= high for low, at, high in zip(box.low, row.coordinate, box.high, strict=True))
        )
        return [place for place in places if after is None or place > after][:limit]

    async def foremost(
        self, order: Order, *, namespace: str, memory_type: MemoryType | None, limit: int
    ) -> Sequence[Memory]:
        self._check()

        def rank(row: Memory) -> tuple[float, float, UUID]:
            moment = row.updated_at if row.timestamp is None else row.timestamp
            return (moment, 0.0, row.id) if order is Order.LATEST else (row.importance, row.updated_at, row.id)

        return sorted(self._living(namespace, memory_type), key=rank, reverse=True)[:limit]

    async def around(self, place: Coordinate, search: Search) -> Sequence[Coordinate]:
        self._check()
        rows = [row for row in self._living(search.namespace, None) if len(row.coordinate) == len(place)]
        rows.sort(key=lambda row: row.coordinate)
        start = bisect_left(rows, place, key=lambda row: row.coordinate)
        return [
            row.coordinate
            for row in rows[max(start - search.limit, 0) : start + search.limit]
            if search.memory_type in {None, row.memory_type} and fulfils(row.payload, search.filters)
        ]

    def _living(self, namespace: str, memory_type: MemoryType | None) -> list[Memory]:
        return [
            row
            for row in self._rows.values()
            if not row.deleted and row.namespace == namespace and memory_type in {None, row.memory_type}
        ]
