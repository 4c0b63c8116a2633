"""Waiting for what other tasks do, with a deadline."""

import asyncio
from collections.abc import Callable


async def until(look: Callable[[], bool], seconds: float = 10) -> None:
    """Return as soon as `look` is true. Raises TimeoutError when it does not become so."""
    async with asyncio.timeout(seconds):
        while not look():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.002)
