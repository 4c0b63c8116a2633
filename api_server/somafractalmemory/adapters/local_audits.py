"""The audit in this process."""

from collections.abc import Callable, Sequence
from uuid import UUID

from somafractalmemory.ports.care import AuditRow, Deed


class LocalAudits:
    """Rows in a list; `check` raises while the truth is away."""

    def __init__(self, *, check: Callable[[], None], clock: Callable[[], float]) -> None:
        self._check = check
        self._clock = clock
        self._rows: list[AuditRow] = []
        self._number = 0

    async def append(self, deeds: Sequence[tuple[Deed, str, str | None]]) -> None:
        self._check()
        for deed, caller, request_id in deeds:
            self._number += 1
            self._rows.append(AuditRow(self._number, self._clock(), caller, deed, request_id))

    def erase(self, namespace: str, place: UUID | None) -> int:
        """Drop the rows of a namespace, or those about one memory of it; how many."""
        kept = [
            row
            for row in self._rows
            if row.deed.namespace != namespace or (place is not None and row.deed.memory_id != place)
        ]
        dropped, self._rows = len(self._rows) - len(kept), kept
        return dropped

    async def page(self, namespace: str, *, action: str | None, before: int | None, limit: int) -> Sequence[AuditRow]:
        self._check()
        found = [
            row
            for row in reversed(self._rows)
            if row.deed.namespace == namespace
            and action in {None, row.deed.action}
            and (before is None or row.number < before)
        ]
        return found[:limit]

    async def trim(self, older_than: float, limit: int) -> int:
        self._check()
        gone = [row for row in self._rows[:limit] if row.at < older_than]
        self._rows = [row for row in self._rows if row not in gone]
        return len(gone)
