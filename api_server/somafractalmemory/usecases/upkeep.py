"""Looking after the memories: one process at a time carries out decay, the size limit and the end of audit rows.

Nothing here decides what callers see, but for the size limit: fields that have decayed are hidden from the moment they
are due. Here they are removed for good, only where they are due, only over the version that was read, and in batches.
"""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

import orjson
import structlog

from somafractalmemory import telemetry
from somafractalmemory.errors import SomaError
from somafractalmemory.model import Memory, NewMemory, searchable_text
from somafractalmemory.model.decay import Level
from somafractalmemory.ports import Records
from somafractalmemory.ports.care import Ages, Changed, Deed
from somafractalmemory.usecases.rules import Rules

log = structlog.get_logger(__name__)

_HELD_SECONDS = 60.0
_BATCH = 200
_LATE_COMMIT_SECONDS = 60.0
_DAY = 24 * 3600.0


class Upkeep:
    """A background task, and each of its rounds."""

    def __init__(
        self,
        *,
        records: Records,
        rules: Rules,
        clock: Callable[[], float],
        written: Callable[[], None],
    ) -> None:
        self._care = records.care
        self._audits = records.audits
        self._rules = rules
        self._clock = clock
        self._written = written
        self._me = uuid4()

    async def run(self, every_seconds: float) -> None:
        """A round now and then, until cancelled; a store that is away only delays it."""
        while True:
            await asyncio.sleep(every_seconds * random.uniform(0.5, 1.0))  # noqa: S311  # jitter
            for chore, work in (("decay", self.decay), ("limit", self.limit), ("audit", self.trim)):
                await self._try(chore, work)

    async def step(self) -> None:
        """One round of everything that is due. Raises Unavailable."""
        await self.decay()
        await self.limit()
        await self.trim()

    async def decay(self) -> int:
        """Remove what has decayed; answers from how many memories. Raises Unavailable."""
        return sum([await self._level(level) for level in self._rules.decay.levels if level.keys])

    async def limit(self) -> int:
        """Delete what is beyond the size limit; answers how many memories. Raises Unavailable."""
        most = self._rules.max_memories
        if not most or await self._care.hold("limit", self._me, _HELD_SECONDS) is None:
            return 0
        return sum([await self._prune(namespace, most) for namespace in await self._care.namespaces()])

    async def trim(self) -> int:
        """Remove audit rows that are too old; answers how many. Raises Unavailable."""
        if not self._rules.audit_days or await self._care.hold("audit", self._me, _HELD_SECONDS) is None:
            return 0
        total = 0
        while gone := await self._audits.trim(self._clock() - self._rules.audit_days * _DAY, 1000):
            total += gone
        return total

    async def _prune(self, namespace: str, most: int) -> int:
        total = 0
        while gone := await self._care.prune(namespace, most, _BATCH):
            total += gone
            telemetry.PRUNED.inc(gone)
            self._written()
            if await self._care.hold("limit", self._me, _HELD_SECONDS) is None:
                break
        if total:
            log.info("pruned", namespace=namespace, memories=total)
            deed = Deed("prune", namespace, details={"memories": total, "limit": most})
            if self._rules.audit != "off":
                await self._audits.append([(deed, "upkeep", None)])
        return total

    async def _level(self, level: Level) -> int:
        """One level, from where it was last done up to now. Commits may come late, so a minute is looked at twice."""
        chore = f"decay {_fingerprint(level)}"
        done = await self._care.hold(chore, self._me, _HELD_SECONDS)
        until = self._clock() - level.after_seconds
        if done is None or until <= done:
            return 0
        ages = Ages(done - _LATE_COMMIT_SECONDS, until, sorted(level.keys))
        present = await self._states(chore, ages, former=False)
        former = None if present is None else await self._states(chore, ages, former=True)
        if former is None:  # another process has taken over
            return 0
        await self._care.done(chore, self._me, until)
        return present or 0

    async def _states(self, chore: str, ages: Ages, *, former: bool) -> int | None:
        """Pass all states of an age; None when this process is not the one who does it any more."""
        total, after = 0, None
        while page := await self._care.aged(ages, after, _BATCH, former=former):
            changed = [each for memory in page if (each := self._without_decayed(memory))]
            if changed:
                total += await self._care.shed(changed, former=former)
                self._written()
            after = page[-1]
            if await self._care.hold(chore, self._me, _HELD_SECONDS) is None:
                return None
        if total and not former:
            telemetry.SHED.inc(total)
            log.info("decayed", memories=total)
        return total

    def _without_decayed(self, memory: Memory) -> Changed | None:
        seal = self._rules.seal
        opened = seal.open(memory) if seal else memory
        payload = self._rules.decay.remaining(opened.payload, self._clock() - memory.updated_at)
        if payload is opened.payload:
            return None
        new = _as_new(opened, payload)
        if seal and memory.locked and not opened.locked:
            new = seal.seal(new)
        return Changed(memory.id, memory.version, new.payload_json, new.text)

    async def _try(self, chore: str, work: Callable[[], Awaitable[int]]) -> None:
        try:
            await work()
        except SomaError as error:
            telemetry.UPKEEP_FAILURES.labels(chore).inc()
            log.warning("upkeep_delayed", chore=chore, error=str(error))


def _as_new(memory: Memory, payload: dict[str, object]) -> NewMemory:
    return NewMemory(
        id=memory.id,
        namespace=memory.namespace,
        coordinate=memory.coordinate,
        memory_type=memory.memory_type,
        payload=payload,
        payload_json=orjson.dumps(payload).decode(),
        text=searchable_text(payload),
        importance=memory.importance,
        timestamp=memory.timestamp,
    )


def _fingerprint(level: Level) -> str:
    """Another rule has another past."""
    parts: Sequence[object] = (level.after_seconds, sorted(level.keys))
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:16]
