"""The use cases of locks: wait for one with a limit, keep it as long as the work takes, know when it was lost."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

import structlog

from somafractalmemory import telemetry
from somafractalmemory.errors import InvalidRequest, SomaError
from somafractalmemory.ports import Lease, Locks

log = structlog.get_logger(__name__)

MAX_NAME = 256
MAX_SECONDS = 3600.0
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.25


@dataclass(slots=True)
class Held:
    """A lock in somebody's hands; `lost` once it could not be prolonged in time."""

    lease: Lease
    lost: bool = False


class Locking:
    """Locks of all processes on the same stores. A name belongs to its namespace: others have one of their own."""

    def __init__(self, *, locks: Locks, clock: Callable[[], float] = time.monotonic) -> None:
        self._locks = locks
        self._clock = clock

    async def acquire(
        self, *, namespace: str, name: str, ttl_seconds: float = 10.0, wait_seconds: float = 10.0
    ) -> Lease | None:
        """The lease for `ttl_seconds`, or None when others held it for `wait_seconds`.

        Raises InvalidRequest for a name or time that is none, Unavailable when nobody can tell who holds it.
        """
        key, owner = _checked(namespace, name, ttl_seconds, wait_seconds), uuid4().hex
        deadline, pause = self._clock() + wait_seconds, _FIRST_PAUSE_SECONDS
        while (lease := await self._locks.take(key, owner=owner, ttl_seconds=ttl_seconds)) is None:
            left = deadline - self._clock()
            if left <= 0:
                telemetry.LOCKS.labels("refused").inc()
                return None
            await asyncio.sleep(min(random.uniform(pause / 2, pause), left))  # noqa: S311  # jitter, not a secret
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        telemetry.LOCKS.labels("taken").inc()
        return lease

    async def renew(self, lease: Lease, *, ttl_seconds: float = 10.0) -> bool:
        """Prolong it; says whether it was still held. Raises Unavailable."""
        return await self._locks.renew(lease, ttl_seconds=ttl_seconds)

    async def release(self, lease: Lease) -> bool:
        """Let go; says whether it was still held. Raises Unavailable."""
        return await self._locks.release(lease)

    @asynccontextmanager
    async def hold(
        self, *, namespace: str, name: str, ttl_seconds: float = 10.0, wait_seconds: float = 10.0
    ) -> AsyncIterator[Held | None]:
        """The lock for the body, prolonged while it runs; None when others held it for `wait_seconds`.

        Raises as `acquire` does. A lock that is lost does not stop the body: ask `lost`, or hand on the fence.
        """
        lease = await self.acquire(namespace=namespace, name=name, ttl_seconds=ttl_seconds, wait_seconds=wait_seconds)
        if lease is None:
            yield None
            return
        held = Held(lease)
        keeping = asyncio.create_task(self._keep(held, ttl_seconds), name=f"lock {name}")
        try:
            yield held
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
            await self._let_go(held)

    async def _keep(self, held: Held, ttl_seconds: float) -> None:
        """Prolong three times as often as needed, so that two attempts may fail."""
        expires = self._clock() + ttl_seconds
        while self._clock() < expires:
            await asyncio.sleep(ttl_seconds / 3)
            asked = self._clock()
            try:
                if not await self._locks.renew(held.lease, ttl_seconds=ttl_seconds):
                    break
            except SomaError as error:
                log.warning("lock_not_prolonged", name=held.lease.name, error=str(error))
            else:
                expires = asked + ttl_seconds
        held.lost = True
        telemetry.LOCKS.labels("lost").inc()
        log.warning("lock_lost", name=held.lease.name, hint="another holder may be at work; its fence is larger")

    async def _let_go(self, held: Held) -> None:
        """One that cannot be let go ends by itself, so the work that is done stays done."""
        try:
            held.lost = not await self._locks.release(held.lease) or held.lost
        except SomaError as error:
            log.warning("lock_not_released", name=held.lease.name, error=str(error), hint="it ends by itself")


def _checked(namespace: str, name: str, ttl_seconds: float, wait_seconds: float) -> str:
    """The name with its namespace, in which no slash can be."""
    if not 1 <= len(name) <= MAX_NAME or "\x00" in name:
        raise InvalidRequest(f"a lock's name has 1 to {MAX_NAME} characters without NUL", loc=("name",))
    if not 0.01 <= ttl_seconds <= MAX_SECONDS:
        raise InvalidRequest(f"a lock lasts from 0.01 to {MAX_SECONDS:g} seconds", loc=("timeout",))
    if not 0 <= wait_seconds <= MAX_SECONDS:
        raise InvalidRequest(f"a wait for a lock lasts up to {MAX_SECONDS:g} seconds", loc=("wait",))
    return f"{namespace}/{name}"
