"""Who did what: deeds written down in the truth, for those who must know later.

Deletions write their rows in their own transaction. Stores are written down at the level `all` only, in batches and a
moment later, so that they cost nobody time; a process that dies loses the last second of those.
"""

from collections import deque
from collections.abc import Sequence

import structlog

from somafractalmemory import telemetry
from somafractalmemory.errors import SomaError
from somafractalmemory.ports.care import AuditRow, Audits, Deed
from somafractalmemory.security.acting import actor
from somafractalmemory.usecases.flushing import Flushing
from somafractalmemory.usecases.rules import AuditLevel

log = structlog.get_logger(__name__)

_MOST_WAITING = 20_000
_BATCH = 500


class Auditing(Flushing):
    """Writes deeds down, and shows them."""

    def __init__(self, audits: Audits, level: AuditLevel, *, every_seconds: float = 1.0) -> None:
        super().__init__(every_seconds=every_seconds)
        self._audits = audits
        self._level = level
        self._waiting: deque[tuple[Deed, str, str | None]] = deque()

    async def append(self, deed: Deed) -> None:
        """Write a deed down now, unless the audit is off. Raises Unavailable."""
        if self._level != "off":
            await self._audits.append([(deed, actor().name, actor().request_id)])

    def stored(self, deed: Deed) -> None:
        """Note a store; it is written down within a second or two, at the level `all`."""
        if self._level != "all":
            return
        if len(self._waiting) >= _MOST_WAITING:
            telemetry.AUDIT_DROPPED.inc()
            return
        self._waiting.append((deed, actor().name, actor().request_id))

    async def page(self, namespace: str, *, action: str | None, before: int | None, limit: int) -> Sequence[AuditRow]:
        """Rows of a namespace, newest first, those from number `before` on left out."""
        return await self._audits.page(namespace, action=action, before=before, limit=limit)

    async def flush(self) -> None:
        """Write down what waits; what cannot be written now goes on waiting."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            try:
                await self._audits.append(batch)
            except BaseException as error:
                self._waiting.extendleft(reversed(batch))
                if not isinstance(error, SomaError):
                    raise
                log.warning("audit_delayed", rows=len(self._waiting), error=str(error))
                return
