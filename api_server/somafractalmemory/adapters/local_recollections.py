"""Memories by chance and by time, from end to end of the memories of `LocalRecords`."""

import random
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from somafractalmemory.model import Memory, MemoryType
from somafractalmemory.ports import Period


class LocalRecollections:
    """`check` raises while the truth is away."""

    def __init__(self, rows: Mapping[UUID, Memory], *, check: Callable[[], None]) -> None:
        self._rows = rows
        self._check = check

    async def sample(self, *, namespace: str, memory_type: MemoryType | None, limit: int) -> Sequence[UUID]:
        self._check()
        living = [row.id for row in self._living(namespace, memory_type)]
        return random.sample(living, min(limit, len(living)))

    async def newest(
        self, period: Period, *, before: tuple[float, UUID] | None, limit: int
    ) -> Sequence[tuple[float, UUID]]:
        self._check()
        moments = [(_moment(row), row.id) for row in self._living(period.namespace, period.memory_type)]
        wanted = [at for at in moments if at[0] >= period.since and (before is None or at < before)]
        return sorted(wanted, reverse=True)[:limit]

    def _living(self, namespace: str, memory_type: MemoryType | None) -> list[Memory]:
        return [
            row
            for row in self._rows.values()
            if not row.deleted and row.namespace == namespace and memory_type in {None, row.memory_type}
        ]


def _moment(row: Memory) -> float:
    return row.updated_at if row.timestamp is None else row.timestamp
