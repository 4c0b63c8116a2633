"""Counting requests in this process."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from somafractalmemory.adapters.local_switch import Switchable
from somafractalmemory.model import Budget

_MAX_LIMITED_KEYS = 10_000


class LocalLimiter(Switchable):
    """A sliding window for each key, in this process only; also what is left when Redis is away."""

    def __init__(self, *, limit: int, window_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("limiter")
        self._limit = limit
        self._window = window_seconds
        self._clock = clock
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()

    async def hit(self, key: str) -> Budget:
        self._check()
        now = self._clock()
        times = self._hits.setdefault(key, deque())
        self._hits.move_to_end(key)
        if len(self._hits) > _MAX_LIMITED_KEYS:
            self._hits.popitem(last=False)
        while times and times[0] <= now - self._window:
            times.popleft()
        allowed = len(times) < self._limit
        if allowed:
            times.append(now)
        reset = min(times[0] + self._window - now, self._window) if times else self._window  # sums are rounded
        return Budget(allowed, self._limit, self._limit - len(times), reset)
