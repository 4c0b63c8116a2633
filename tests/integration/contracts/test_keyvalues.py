"""Redis and Postgres keep the contract of keys and values."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from somafractalmemory.adapters.migrations import migrate
from somafractalmemory.adapters.postgres import connection_arguments
from somafractalmemory.errors import Unavailable
from somafractalmemory.implementations.async_storage import AsyncPostgresKeyValueStore, AsyncRedisKeyValueStore
from tests.contracts.keyvalues import KeyValueContract, Opener
from tests.integration.api.programs import own_database


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[str]:
    """A migrated database for this module."""
    with own_database(postgres_url) as url:
        asyncio.run(migrate(connection_arguments({"conninfo": url})))
        yield url


class TestRedis(KeyValueContract):
    """AsyncRedisKeyValueStore (S-86) (S-88)."""

    @pytest.fixture
    async def open_store(self, redis_url: str) -> AsyncIterator[Opener]:
        unique, opened = uuid4().hex[:8], list[AsyncRedisKeyValueStore]()

        def opener(namespace: str) -> AsyncRedisKeyValueStore:
            opened.append(AsyncRedisKeyValueStore.from_url(redis_url, namespace=f"{unique}-{namespace}"))
            return opened[-1]

        yield opener
        for store in opened:
            await store.close()


class TestPostgres(KeyValueContract):
    """AsyncPostgresKeyValueStore (S-87) (S-88)."""

    @pytest.fixture
    async def open_store(self, database: str) -> AsyncIterator[Opener]:
        unique = uuid4().hex[:8]
        first = await AsyncPostgresKeyValueStore.from_url(database, max_size=5)

        def opener(namespace: str) -> AsyncPostgresKeyValueStore:
            return AsyncPostgresKeyValueStore(first._pool, namespace=f"{unique}-{namespace}")

        yield opener
        await first.close()


async def test_stores_that_are_away_say_so() -> None:
    redis = AsyncRedisKeyValueStore.from_url("redis://127.0.0.1:9/0")
    postgres = await AsyncPostgresKeyValueStore.from_url("postgresql://soma:hunter2@127.0.0.1:9/x")
    try:
        for store in (redis, postgres):
            assert not await store.health_check()
            with pytest.raises(Unavailable) as raised:
                await store.get("key")
            assert "hunter2" not in str(raised.value)
    finally:
        await redis.close()
        await postgres.close()


async def test_a_database_without_the_table_says_what_to_run(postgres_url: str) -> None:
    with own_database(postgres_url) as empty:
        store = await AsyncPostgresKeyValueStore.from_url(empty)
        try:
            with pytest.raises(Unavailable, match="soma migrate"):
                await store.get("key")
            assert not await store.health_check()
        finally:
            await store.close()
