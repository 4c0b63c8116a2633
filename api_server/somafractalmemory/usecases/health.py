"""Asks every store how it is, with a deadline, and remembers the answers for those who may not wait."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from somafractalmemory import telemetry
from somafractalmemory.errors import SomaError
from somafractalmemory.ports import Pinged


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """How one store answered."""

    ok: bool
    required: bool
    detail: str
    milliseconds: float


class Health:
    """Checks are shared: callers within a second get the same answers."""

    def __init__(
        self,
        *,
        required: Mapping[str, Pinged],
        optional: Mapping[str, Pinged],
        timeout_seconds: float = 1.5,
        fresh_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stores = {name: (store, True) for name, store in required.items()}
        self._stores |= {name: (store, False) for name, store in optional.items()}
        self._timeout_seconds = timeout_seconds
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._lock = asyncio.Lock()
        self._checked_at = float("-inf")
        self.last: dict[str, ComponentHealth] = {}

    async def check(self) -> Mapping[str, ComponentHealth]:
        """The health of every component, at most a second old."""
        async with self._lock:
            if self._clock() - self._checked_at >= self._fresh_seconds:
                answers = await asyncio.gather(*(self._ask(name) for name in self._stores))
                self.last = dict(zip(self._stores, answers, strict=True))
                self._checked_at = self._clock()
        return self.last

    @property
    def ready(self) -> bool:
        """Whether every required component answered last time."""
        return all(health.ok for health in self.last.values() if health.required)

    async def watch(self, every_seconds: float = 10.0) -> None:
        """Check for ever, so that metrics and `last` are never old."""
        while True:
            await self.check()
            await asyncio.sleep(every_seconds)

    async def _ask(self, name: str) -> ComponentHealth:
        store, required = self._stores[name]
        started = self._clock()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await store.ping()
        except TimeoutError:
            ok, detail = False, f"no answer within {self._timeout_seconds:g} s"
        except SomaError as error:
            ok, detail = False, str(error)
        else:
            ok, detail = True, "ok"
        telemetry.COMPONENT_UP.labels(name).set(ok)
        return ComponentHealth(ok, required, detail, round((self._clock() - started) * 1000, 1))
