"""The limiter in Redis keeps the same contract."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from somafractalmemory.adapters import redis
from somafractalmemory.ports import Limiter
from tests.contracts.limiter import LimiterContract, OpenLimiter


class TestRedisLimiter(LimiterContract):
    """RedisLimiter."""

    @pytest.fixture
    async def open_limiter(self, redis_url: str) -> AsyncIterator[OpenLimiter]:
        async with AsyncExitStack() as stack:

            async def opened(limit: int, window_seconds: float) -> Limiter:
                return await stack.enter_async_context(
                    redis.open_limiter(
                        url=redis_url,
                        password=None,
                        limit=limit,
                        window_seconds=window_seconds,
                        timeout_seconds=10.0,  # a busy machine may take its time to connect
                    )
                )

            yield opened
