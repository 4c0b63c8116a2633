"""Keys of requests in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from somafractalmemory.ports.repeats import Answered, KeyScope, Known


@dataclass(slots=True)
class _Row:
    digest: bytes
    owner: UUID
    answer: Answered | None
    until: float
    expires: float


class LocalKeys:
    """A dictionary; `check` raises while the truth is away."""

    def __init__(self, *, check: Callable[[], None], clock: Callable[[], float]) -> None:
        self._check = check
        self._clock = clock
        self._rows: dict[KeyScope, _Row] = {}

    async def reserve(self, scope: KeyScope, digest: bytes, owner: UUID, *, lease_seconds: float) -> Known | None:
        self._check()
        now, row = self._clock(), self._rows.get(scope)
        if row is None or row.expires <= now or (row.answer is None and row.until <= now and row.digest == digest):
            self._rows[scope] = _Row(digest, owner, None, now + lease_seconds, now + max(lease_seconds, 3600.0))
            return None
        return Known(row.digest, row.answer)

    async def complete(self, scope: KeyScope, owner: UUID, answer: Answered, *, keep_seconds: float) -> None:
        self._check()
        row = self._rows.get(scope)
        if row is not None and row.owner == owner:
            row.answer, row.expires = answer, self._clock() + keep_seconds

    async def release(self, scope: KeyScope, owner: UUID) -> None:
        self._check()
        row = self._rows.get(scope)
        if row is not None and row.owner == owner and row.answer is None:
            del self._rows[scope]

    async def prune(self, limit: int) -> int:
        self._check()
        now = self._clock()
        over = [scope for scope, row in self._rows.items() if row.expires <= now][:limit]
        for scope in over:
            del self._rows[scope]
        return len(over)
