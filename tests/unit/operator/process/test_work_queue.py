"""The queue: many events, one run; one run at a time per key; pauses, bounds and faults."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from somamemory_operator.cluster.backoff import Backoff
from somamemory_operator.model.observed import MemoryKey
from somamemory_operator.process.work_queue import WorkQueue
from somamemory_operator.telemetry.metrics import Metrics
from tests.unit.operator.waiting import until

ONE, TWO = MemoryKey("space", "one"), MemoryKey("space", "two")


class Runs:
    """Counts runs; each waits until it is let go."""

    def __init__(self, again: float | None = None) -> None:
        self.started: list[MemoryKey] = []
        self.cancelled: list[MemoryKey] = []
        self.go, self._again = asyncio.Event(), again
        self.active = self.most_active = 0

    async def __call__(self, key: MemoryKey) -> float | None:
        self.started.append(key)
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.append(key)
            raise
        finally:
            self.active -= 1
        again, self._again = self._again, None
        return again


@asynccontextmanager
async def serving(queue: WorkQueue, handle: Callable[[MemoryKey], Awaitable[float | None]]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(queue.run(handle))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_many_events_become_one_run_and_those_during_it_one_more() -> None:
    queue, runs = WorkQueue(Metrics(), gap=0.01), Runs()
    async with serving(queue, runs):
        for _ in range(100):
            queue.wake(ONE)
        await until(lambda: runs.active == 1)
        for _ in range(100):
            queue.wake(ONE)
        await asyncio.sleep(0.03)
        assert runs.started == [ONE]

        runs.go.set()
        await until(lambda: len(runs.started) == 2)
        await asyncio.sleep(0.03)

    assert runs.started == [ONE, ONE]
    assert runs.most_active == 1


async def test_different_keys_run_beside_each_other_up_to_the_number_of_workers() -> None:
    queue, runs = WorkQueue(Metrics(), workers=2), Runs()
    async with serving(queue, runs):
        for number in range(5):
            queue.wake(MemoryKey("space", str(number)))
        await until(lambda: runs.active == 2)
        runs.go.set()
        await until(lambda: len(runs.started) == 5)

    assert runs.most_active == 2


async def test_a_run_can_ask_to_be_repeated_later() -> None:
    queue, runs = WorkQueue(Metrics(), gap=0.0), Runs(again=0.02)
    runs.go.set()
    async with serving(queue, runs):
        queue.wake(ONE)
        await until(lambda: runs.started == [ONE, ONE])


async def test_an_event_comes_before_a_planned_retry() -> None:
    queue, runs = WorkQueue(Metrics(), gap=0.0), Runs()
    runs.go.set()
    async with serving(queue, runs):
        queue.wake(ONE, after=600)
        queue.wake(ONE)
        await until(lambda: runs.started == [ONE])


async def test_two_starts_of_a_key_keep_their_distance() -> None:
    queue, runs = WorkQueue(Metrics(), gap=0.05), Runs()
    runs.go.set()
    loop = asyncio.get_running_loop()
    async with serving(queue, runs):
        began = loop.time()
        queue.wake(ONE)
        await until(lambda: len(runs.started) == 1)
        queue.wake(ONE)
        await until(lambda: len(runs.started) == 2)

    assert loop.time() - began >= 0.05


async def test_a_paused_queue_takes_note_and_cancels_what_runs() -> None:
    queue, runs = WorkQueue(Metrics()), Runs()
    async with serving(queue, runs):
        queue.wake(ONE)
        await until(lambda: runs.active == 1)
        queue.pause()
        await until(lambda: runs.cancelled == [ONE])
        queue.wake(TWO)
        await asyncio.sleep(0.02)
        assert runs.started == [ONE]

        queue.resume()
        await until(lambda: runs.started == [ONE, TWO])


async def test_what_runs_ends_with_the_queue() -> None:
    queue, runs = WorkQueue(Metrics()), Runs()
    async with serving(queue, runs):
        queue.wake(ONE)
        await until(lambda: runs.active == 1)

    assert runs.cancelled == [ONE]


async def test_a_full_queue_drops_new_keys_and_counts_them() -> None:
    metrics = Metrics()
    queue, runs = WorkQueue(metrics, limit=1), Runs()
    runs.go.set()
    queue.wake(ONE)
    queue.wake(TWO)
    queue.wake(ONE)

    async with serving(queue, runs):
        await until(lambda: runs.started == [ONE])

    assert metrics.registry.get_sample_value("somamemory_operator_dropped_wakeups_total") == 1


async def test_a_forgotten_key_does_not_run() -> None:
    queue, runs = WorkQueue(Metrics()), Runs()
    queue.wake(ONE)
    queue.wake(TWO)
    queue.forget(ONE)

    async with serving(queue, runs):
        await until(lambda: runs.started == [TWO])


async def test_a_fault_of_one_run_stops_neither_the_queue_nor_the_key() -> None:
    metrics, seen = Metrics(), list[MemoryKey]()
    queue = WorkQueue(metrics)

    async def handle(key: MemoryKey) -> None:
        seen.append(key)
        if key == ONE:
            raise ZeroDivisionError

    async with serving(queue, handle):
        queue.wake(ONE)
        await until(lambda: seen == [ONE])
        queue.wake(TWO)
        await until(lambda: seen == [ONE, TWO])
        await until(lambda: metrics.registry.get_sample_value("somamemory_operator_queue_length") == 1)


@pytest.mark.parametrize(
    ("failures", "least", "most"), [(0, 0, 0), (1, 0.5, 1), (3, 2, 4), (7, 30, 60), (10**6, 30, 60)]
)
def test_pauses_grow_up_to_a_limit_with_jitter(failures: int, least: float, most: float) -> None:
    backoff = Backoff(first=1, most=60)

    assert backoff.delay(failures, chance=lambda: 0.0) == least
    assert backoff.delay(failures, chance=lambda: 1.0) == most
