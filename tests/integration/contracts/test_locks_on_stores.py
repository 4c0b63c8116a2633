"""Locks in Redis and in Postgres keep the same contract, whatever becomes of the store."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from somafractalmemory.adapters.migrations import migrate
from somafractalmemory.adapters.postgres import connection_arguments, open_records
from somafractalmemory.adapters.postgres_locks import PostgresLocks
from somafractalmemory.adapters.redis_locks import RedisLocks, open_locks
from somafractalmemory.errors import Unavailable
from tests.contracts.locks import LocksContract, taken
from tests.integration.api.programs import own_database


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[str]:
    """A migrated database for this module."""
    with own_database(postgres_url) as url:
        asyncio.run(migrate(connection_arguments({"conninfo": url})))
        yield url


class TestRedisLocks(LocksContract):
    """RedisLocks."""

    @pytest.fixture
    async def locks(self, redis_url: str) -> AsyncIterator[RedisLocks]:
        async with open_locks(url=redis_url, password=None) as opened:
            yield opened

    async def test_fences_grow_even_when_redis_lost_them(self, locks: RedisLocks, redis_url: str) -> None:
        name = uuid4().hex
        before = await taken(locks, name)
        async with Redis.from_url(redis_url) as client:
            await client.delete("soma:lock-fence", f"soma:lock:{name}")

        after = await taken(locks, name, "you")

        assert after.fence > before.fence
        assert not await locks.release(before)

    async def test_a_redis_that_is_away_is_unavailable(self) -> None:
        async with open_locks(url="redis://127.0.0.1:9", password=None) as nobody:
            with pytest.raises(Unavailable):
                await nobody.take("x", owner="me", ttl_seconds=1.0)
            with pytest.raises(Unavailable):
                await nobody.ping()


class TestPostgresLocks(LocksContract):
    """PostgresLocks."""

    @pytest.fixture
    async def locks(self, database: str) -> AsyncIterator[PostgresLocks]:
        async with open_records({"conninfo": database}, pool_size=5) as records:
            yield records.locks
