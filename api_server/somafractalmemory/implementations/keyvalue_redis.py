"""Keys and values in Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Self, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError, ResponseError

from somafractalmemory.adapters.redis_locks import RedisLocks
from somafractalmemory.errors import Rejected, Unavailable
from somafractalmemory.implementations import keyvalues as rules
from somafractalmemory.model import check_namespace
from somafractalmemory.usecases.locking import Held

Answer = TypeVar("Answer")
_SECONDS = 5.0


class AsyncRedisKeyValueStore:
    """Over a client of `redis.asyncio`, which answers bytes (no `decode_responses`)."""

    def __init__(self, client: Any, *, namespace: str = rules.NAMESPACE) -> None:
        self._client = client
        self._namespace = check_namespace(namespace)
        # No namespace has a brace, so that no two of them share a key. Redis' patterns take a brace as itself.
        self._prefix = f"soma:kv:{{{self._namespace}}}:"
        self._owned = False

    @classmethod
    def from_url(cls, url: str, *, namespace: str = rules.NAMESPACE, **options: Any) -> Self:
        """A store with a client of its own, which `close` closes; it opens even while nobody answers there."""
        limits = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0, "max_connections": 50, "timeout": 2.5}
        pool: Any = BlockingConnectionPool.from_url(url, **(limits | options))
        store = cls(Redis.from_pool(pool), namespace=namespace)
        store._owned = True
        return store

    async def set(self, key: str, value: bytes | str) -> None:
        """Put a value, whatever the key held."""
        await self._answer(self._client.set(self._key(key), rules.as_bytes(value)))

    async def get(self, key: str) -> bytes | None:
        """The value; None when there is none."""
        found: bytes | None = await self._answer(self._client.get(self._key(key)))
        return found

    async def delete(self, key: str) -> bool:
        """Remove a value or a hash; says whether there was one."""
        return bool(await self._answer(self._client.delete(self._key(key))))

    async def scan_iter(self, pattern: str = "*") -> AsyncIterator[str]:
        """The keys that match. One that is there all the time comes, perhaps twice while others come and go."""
        match, cursor = self._prefix + rules.checked_pattern(pattern), 0
        while True:
            cursor, keys = await self._answer(self._client.scan(cursor, match=match, count=rules.SCAN_PAGE))
            for key in keys:
                yield key.decode().removeprefix(self._prefix)
            if not cursor:
                return

    async def hset(self, key: str, mapping: Mapping[str | bytes, bytes | str]) -> None:
        """Put fields of a hash; its other fields stay."""
        await self._answer(self._client.hset(self._key(key), mapping=rules.checked_fields(mapping)))

    async def hgetall(self, key: str) -> dict[bytes, bytes]:
        """All fields; none when there is no hash."""
        found: dict[bytes, bytes] = await self._answer(self._client.hgetall(self._key(key)))
        return found

    def lock(self, name: str, timeout: float = 10.0) -> AbstractAsyncContextManager[Held]:
        """A lock among all processes, for `async with`; `lease.fence` grows with every holder.

        It is prolonged while the body runs and ends by itself `timeout` seconds after its holder died. Raises
        Unavailable when others hold it for so long.
        """
        return rules.held(RedisLocks(self._client), f"kv/{self._namespace}", name, timeout)

    async def health_check(self) -> bool:
        """Whether it answers."""
        try:
            await self._answer(self._client.ping())
        except Unavailable:
            return False
        return True

    async def close(self) -> None:
        """Close a client of its own; one that was given stays open."""
        if self._owned:
            await self._client.aclose()

    def _key(self, key: str) -> str:
        return self._prefix + rules.checked_key(key)

    async def _answer(self, asked: Awaitable[Answer]) -> Answer:
        try:
            async with asyncio.timeout(_SECONDS):
                return await asked
        except ResponseError as error:
            if str(error).startswith("WRONGTYPE"):
                raise Rejected("the key holds the other of a value and a hash: delete it first") from error
            raise Unavailable("redis", "it refuses the command; see its configuration") from error
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable("redis", type(error).__name__) from error
