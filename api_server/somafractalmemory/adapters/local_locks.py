"""Locks of this process only."""

import time
from collections.abc import Callable

from somafractalmemory.ports import Lease


class LocalLocks:
    """Names, their holders and until when they hold them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, tuple[Lease, float]] = {}
        self._fence = 0

    async def ping(self) -> None:
        """Always fit."""

    async def take(self, name: str, *, owner: str, ttl_seconds: float) -> Lease | None:
        self._drop_expired()
        lease, _ = self._held.get(name, (None, 0.0))
        if lease is None:
            self._fence += 1
            lease = Lease(name, owner, self._fence)
        elif lease.owner != owner:
            return None
        self._held[name] = lease, self._clock() + ttl_seconds
        return lease

    async def renew(self, lease: Lease, *, ttl_seconds: float) -> bool:
        held = self._holds(lease)
        if held:
            self._held[lease.name] = lease, self._clock() + ttl_seconds
        return held

    async def release(self, lease: Lease) -> bool:
        held = self._holds(lease)
        if held:
            del self._held[lease.name]
        return held

    async def drop(self, prefix: str) -> int:
        names = [name for name in self._held if name.startswith(prefix)]
        for name in names:
            del self._held[name]
        return len(names)

    def _holds(self, lease: Lease) -> bool:
        self._drop_expired()
        return self._held.get(lease.name, (None, 0.0))[0] == lease

    def _drop_expired(self) -> None:
        now = self._clock()
        for name in [name for name, (_, until) in self._held.items() if until <= now]:
            del self._held[name]
