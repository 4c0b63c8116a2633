"""Redis away, killed, emptied: requests go on being counted, and it heals without a restart."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from somafractalmemory.adapters.local import LocalLimiter
from somafractalmemory.adapters.redis import FallbackLimiter, open_limiter
from somafractalmemory.errors import Unavailable
from tests.services.redis import RedisServer
from tests.services.server import free_port

PATIENT: Any = {"password": None, "timeout_seconds": 10.0}
"""A server that is there may take its time on a busy machine."""


async def test_nobody_there_is_said_in_time() -> None:
    async with open_limiter(
        url=f"redis://127.0.0.1:{free_port()}/0", password=None, limit=1, window_seconds=1.0
    ) as limiter:
        started = time.monotonic()
        with pytest.raises(Unavailable, match="redis"):
            await limiter.hit("a")
        with pytest.raises(Unavailable, match="redis"):
            await limiter.ping()
        assert time.monotonic() - started < 3.0


async def test_a_server_that_accepts_and_never_answers_costs_a_bounded_time() -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        server,
        open_limiter(
            url=f"redis://127.0.0.1:{port}/0", password=None, limit=1, window_seconds=1.0, timeout_seconds=0.2
        ) as limiter,
    ):
        started = time.monotonic()
        with pytest.raises(Unavailable):
            await limiter.hit("a")
        assert time.monotonic() - started < 2.0


async def test_a_wrong_password_is_unavailable(redis_server: RedisServer) -> None:
    url = f"redis://127.0.0.1:{redis_server.port}/0"
    async with open_limiter(url=url, password="wrong", limit=1, window_seconds=1.0) as limiter:
        with pytest.raises(Unavailable, match="redis") as caught:
            await limiter.hit("a")
    assert "wrong" not in str(caught.value).replace("WRONGPASS", "")


async def test_after_a_kill_the_same_limiter_goes_on(redis_server: RedisServer) -> None:
    async with open_limiter(url=redis_server.url, **PATIENT, limit=1000, window_seconds=60.0) as limiter:
        key = uuid4().hex
        await asyncio.gather(*(limiter.hit(key) for _ in range(50)))
        redis_server.kill9()
        with pytest.raises(Unavailable):
            await limiter.hit(key)
        redis_server.start()

        budgets = await asyncio.gather(*(limiter.hit(key) for _ in range(50)))

        assert all(budget.allowed for budget in budgets)


async def test_forgotten_scripts_are_sent_again(redis_server: RedisServer) -> None:
    async with (
        open_limiter(url=redis_server.url, **PATIENT, limit=100, window_seconds=60.0) as limiter,
        Redis.from_url(redis_server.url) as client,
    ):
        key = uuid4().hex
        await limiter.hit(key)
        await client.script_flush()
        budgets = await asyncio.gather(*(limiter.hit(key) for _ in range(20)))
        await client.script_flush()
        single = await limiter.hit(key)

        assert all(budget.allowed for budget in budgets)
        assert single.remaining == 100 - 22


async def test_keys_end_by_themselves(redis_server: RedisServer) -> None:
    async with (
        open_limiter(url=redis_server.url, **PATIENT, limit=2, window_seconds=30.0) as limiter,
        Redis.from_url(redis_server.url) as client,
    ):
        key = uuid4().hex
        for _ in range(4):
            await limiter.hit(key)

        assert 0 < await client.pttl(f"soma:limit:{key}") <= 30_000


async def test_while_redis_is_away_this_process_counts_and_one_request_a_while_asks_again(
    redis_server: RedisServer,
) -> None:
    """(X-07)"""
    now = [0.0]
    async with open_limiter(url=redis_server.url, **PATIENT, limit=100, window_seconds=60.0) as primary:
        limiter = FallbackLimiter(primary, LocalLimiter(limit=2, window_seconds=60.0), clock=lambda: now[0])
        key = uuid4().hex
        assert (await limiter.hit(key)).limit == 100
        redis_server.kill9()
        before = REGISTRY.get_sample_value("soma_limiter_fallbacks_total") or 0.0
        try:
            away = [await limiter.hit(key) for _ in range(3)]
            with pytest.raises(Unavailable):
                await limiter.ping()
        finally:
            redis_server.start()
        still = await limiter.hit(key)
        now[0] += 1.5
        back = await limiter.hit(key)

        assert [budget.allowed for budget in away] == [True, True, False]
        assert still.limit == 2
        assert back.limit == 100
        assert REGISTRY.get_sample_value("soma_limiter_fallbacks_total") == before + 4
