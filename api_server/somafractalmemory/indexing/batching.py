"""Group commit: concurrent callers share one call of a store.

`Batcher.submit` puts an item into a bounded queue; a worker takes whatever has gathered and does it in one go. Another
worker joins only when a whole batch is waiting, or when the first is slow: until then two half batches would cost more
than one. When a batch is `Rejected` because of one item, it is halved until that item stands alone: its neighbours
never notice. Two items with the same key never share a batch and keep their order.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from somafractalmemory.errors import Overloaded, Rejected, SomaError

_PATIENCE_SECONDS = 0.05
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    key: Hashable
    answer: asyncio.Future[Result] = field(compare=False)


class Batcher(Generic[Item, Result]):
    """Folds concurrent single calls into few batch calls."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        name: str,
        key: Callable[[Item], Hashable],
        workers: int = 2,
        max_batch: int = 100,
        max_waiting: int = 5000,
        timeout_seconds: float = 5.0,
    ) -> None:
        self._work = work
        self._name = name
        self._key = key
        self._workers = workers
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._timeout_seconds = timeout_seconds
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._busy: set[Hashable] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = False
        self._context = copy_context()
        self._impatience: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> "Batcher[Item, Result]":
        self._open = True
        self._context = copy_context()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        if self._impatience is not None:
            self._impatience.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._queue:
            self._fail([self._queue.popleft()], Overloaded(self._name, "the service is stopping"))

    async def submit(self, item: Item) -> Result:
        """Answer for this one item. Raises what the work raised for it, or Overloaded past the deadline."""
        if not self._open:
            raise Overloaded(self._name, "the service is stopping")
        if len(self._queue) >= self._max_waiting:
            raise Overloaded(self._name, f"{self._max_waiting} requests are waiting already", retry_after_seconds=1)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        self._queue.append(_Waiting(item, self._key(item), answer))
        if not self._tasks or len(self._queue) >= self._max_batch:
            self._call_a_worker()
        elif self._impatience is None:
            self._impatience = loop.call_later(_PATIENCE_SECONDS, self._lose_patience)
        timer = loop.call_later(self._timeout_seconds, self._expire, answer)  # asyncio.timeout costs five times more
        try:
            return await answer
        finally:
            timer.cancel()

    def _expire(self, answer: asyncio.Future[Result]) -> None:
        if not answer.done():
            answer.set_exception(Overloaded(self._name, f"no answer within {self._timeout_seconds:g} s"))

    def _lose_patience(self) -> None:
        """What a worker has in hand takes long, such as a row that somebody holds: the others need not wait for it."""
        self._impatience = None
        if self._queue:
            self._call_a_worker()

    def _call_a_worker(self) -> None:
        if len(self._tasks) >= self._workers:
            return
        # Not in the context of whoever happens to call: it may see one namespace only, and a batch is of many callers.
        worker = asyncio.create_task(self._run(), name=self._name, context=self._context.copy())
        self._tasks.add(worker)
        worker.add_done_callback(self._dismiss)

    def _dismiss(self, worker: asyncio.Task[None]) -> None:
        self._tasks.discard(worker)
        if self._queue and not self._tasks and self._open:  # came since the worker looked for the last time
            self._call_a_worker()

    async def _run(self) -> None:
        while batch := self._take():
            try:
                await self._finish(batch)
            finally:
                self._busy.difference_update(waiting.key for waiting in batch)

    def _take(self) -> list[_Waiting[Item, Result]]:
        """The oldest items, without two of a key, without a key that another worker has in hand."""
        batch: list[_Waiting[Item, Result]] = []
        later: list[_Waiting[Item, Result]] = []
        held: set[Hashable] = set()
        while self._queue and len(batch) < self._max_batch and len(later) < self._max_batch:
            waiting = self._queue.popleft()
            if waiting.answer.done():
                continue
            if waiting.key in self._busy or waiting.key in held:
                held.add(waiting.key)
                later.append(waiting)
                continue
            self._busy.add(waiting.key)
            batch.append(waiting)
        self._queue.extendleft(reversed(later))
        return batch

    async def _finish(self, batch: Sequence[_Waiting[Item, Result]]) -> None:
        try:
            results = await self._work([waiting.item for waiting in batch])
        except Rejected as error:
            if len(batch) == 1:
                self._fail(batch, error)
                return
            middle = len(batch) // 2
            await self._finish(batch[:middle])
            await self._finish(batch[middle:])
        except SomaError as error:
            self._fail(batch, error)
        except asyncio.CancelledError:
            self._fail(batch, Overloaded(self._name, "the service is stopping"))
            raise
        except Exception as error:
            self._fail(batch, error)
        else:
            for waiting, result in zip(batch, results, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(result)

    @staticmethod
    def _fail(batch: Sequence[_Waiting[Item, Result]], error: Exception) -> None:
        for waiting in batch:
            if not waiting.answer.done():
                waiting.answer.set_exception(error)
