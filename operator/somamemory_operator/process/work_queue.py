"""Which SomaMemory to look at next: a queue of keys in which many events about one resource become one run.

A key runs at most once at a time; what happens during a run causes one more run. Keys that only have to wait (a retry,
a second look) cost nothing meanwhile. An event never carries what has changed: the run looks for itself.
"""

import asyncio
from collections.abc import Awaitable, Callable

from somamemory_operator.model.observed import MemoryKey
from somamemory_operator.telemetry.logs import logger
from somamemory_operator.telemetry.metrics import Metrics

_AFTER_FAULT_SECONDS = 30.0


Handle = Callable[[MemoryKey], Awaitable[float | None]]
"""One run for a key. The answer is when to look again at the latest, in seconds, or None for `only when woken`."""


class WorkQueue:
    """The queue. `gap` is the least time between two starts of one key; `limit` the most keys it holds."""

    def __init__(self, metrics: Metrics, *, workers: int = 4, gap: float = 0.25, limit: int = 10_000) -> None:
        self._metrics, self._workers, self._gap, self._limit = metrics, workers, gap, limit
        self._due: dict[MemoryKey, float] = {}
        self._started: dict[MemoryKey, float] = {}
        self._running: dict[MemoryKey, asyncio.Task[float | None]] = {}
        self._changed = asyncio.Event()
        self._paused = False
        metrics.queue_length.set_function(lambda: len(self._due))
        metrics.running.set_function(lambda: len(self._running))

    def wake(self, key: MemoryKey, after: float = 0.0) -> None:
        """Have the key looked at in `after` seconds, or sooner when that was already planned."""
        if key not in self._due and len(self._due) >= self._limit:
            self._metrics.dropped_wakeups.inc()  # the next resync finds it again
            return
        now = self._now()
        due = max(now + after, self._started.get(key, -self._gap) + self._gap)
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            self._changed.set()

    def forget(self, key: MemoryKey) -> None:
        """Drop what is planned for a resource that is gone."""
        self._due.pop(key, None)
        self._started.pop(key, None)

    def pause(self) -> None:
        """Start nothing more and cancel what runs; keys are still taken note of."""
        self._paused = True
        for task in self._running.values():
            task.cancel()

    def resume(self) -> None:
        """Go on after a pause. What was cancelled by it is not run again unless it is woken."""
        self._paused = False
        self._changed.set()

    async def run(self, handle: Handle) -> None:
        """Serve the queue until cancelled; runs under way are cancelled with it."""
        try:
            while True:
                self._changed.clear()
                self._start_due(handle)
                with_deadline = asyncio.timeout(self._until_next())
                try:
                    async with with_deadline:
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            running = list(self._running.values())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _start_due(self, handle: Handle) -> None:
        if self._paused:
            return
        now = self._now()
        for key in sorted(self._due, key=self._due.__getitem__):
            if len(self._running) >= self._workers or self._due[key] > now:
                return
            if key not in self._running:
                del self._due[key]
                self._started[key] = now
                self._forget_old_starts(now)
                task = asyncio.ensure_future(handle(key))
                self._running[key] = task
                task.add_done_callback(lambda done, key=key: self._finished(key, done))  # type: ignore[misc]

    def _forget_old_starts(self, now: float) -> None:
        """Starts matter for `gap` seconds only; those of resources that are gone must not pile up."""
        if len(self._started) > self._limit:
            self._started = {key: began for key, began in self._started.items() if now - began < self._gap}

    def _finished(self, key: MemoryKey, task: asyncio.Task[float | None]) -> None:
        del self._running[key]
        self._changed.set()
        if task.cancelled():
            return
        if (error := task.exception()) is not None:  # `handle` answers for its own errors; this is what slips through
            self._metrics.reconcile_errors.labels("InternalError").inc()
            logger(__name__).error("a run failed unexpectedly", memory=str(key), exc_info=error)
            self.wake(key, _AFTER_FAULT_SECONDS)
        elif (again := task.result()) is not None:
            self.wake(key, again)

    def _until_next(self) -> float | None:
        if self._paused or len(self._running) >= self._workers:
            return None
        waiting = [due for key, due in self._due.items() if key not in self._running]
        return max(0.0, min(waiting) - self._now()) if waiting else None

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
