"""Noting at once and writing down a moment later, so that nobody waits for it."""

import asyncio
import random
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Self

_LAST_WORDS_SECONDS = 3.0


class Flushing(ABC):
    """Flushes again and again while it is open, and once more at its end."""

    def __init__(self, *, every_seconds: float, jitter: float = 0.0) -> None:
        """`jitter` is the share by which each wait differs, so that processes do not write all at once."""
        self._every_seconds = every_seconds
        self._jitter = jitter
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def flush(self) -> None:
        """Write down what was noted. What cannot be written now is kept; a store that is away raises nothing."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._flush_forever(), name=type(self).__name__.lower())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self.flush()

    async def _flush_forever(self) -> None:
        while True:
            share = random.uniform(1 - self._jitter, 1 + self._jitter)  # noqa: S311  # no secret
            await asyncio.sleep(self._every_seconds * share)
            await self.flush()
