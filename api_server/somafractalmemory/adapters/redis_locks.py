"""Locks in Redis: one script for each step, so that no two processes ever see half of it."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from somafractalmemory.adapters.redis_login import AWAY, client_of
from somafractalmemory.errors import Unavailable
from somafractalmemory.ports import Lease
from somafractalmemory.settings.passwords import Password
from somafractalmemory.settings.redis_servers import kind_of

_PREFIX, _FENCE = "soma:lock:", "soma:lock-fence"
_OF_CLUSTER = ("soma:{lock}:", "soma:{lock}-fence")
"""In one slot, because a script touches both. Elsewhere the names stay: they are shared with running programs."""

# Fences follow the server's clock in microseconds, and grow by one where it does not: they go on growing even after
# Redis lost everything. They stay below 2^53, which Lua's numbers hold exactly.
_TAKE = """
local held = redis.call('HMGET', KEYS[1], 'owner', 'fence')
if held[1] and held[1] ~= ARGV[1] then return false end
local fence = held[2]
if not held[1] then
  local now = redis.call('TIME')
  local last = tonumber(redis.call('GET', KEYS[2]) or '0')
  fence = string.format('%.0f', math.max(last + 1, now[1] * 1000000 + now[2]))
  redis.call('SET', KEYS[2], fence)
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'fence', fence)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return fence
"""
_RENEW = """
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE = """
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


@asynccontextmanager
async def open_locks(
    *, url: str, password: Password | str | None, timeout_seconds: float = 2.0, tls: Mapping[str, Any] | None = None
) -> AsyncIterator["RedisLocks"]:
    """Locks at `url`; opens even while nobody answers there. `tls` are further arguments of the client."""
    client = client_of(
        url,
        password=password,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),  # a kept connection may be dead
        decode_responses=True,
        **(tls or {}),
    )
    try:
        yield RedisLocks(client, *(_OF_CLUSTER if kind_of(url) == "cluster" else ()))
    finally:
        await client.aclose()


class RedisLocks:
    """Implements the port Locks. Sent twice because an answer got lost, each script still does its work once."""

    def __init__(self, client: Any, prefix: str = _PREFIX, fence: str = _FENCE) -> None:
        self._client, self._prefix, self._fence = client, prefix, fence
        self._take = client.register_script(_TAKE)
        self._renew = client.register_script(_RENEW)
        self._release = client.register_script(_RELEASE)

    async def ping(self) -> None:
        try:
            await self._client.ping()
        except AWAY as error:
            raise _unavailable(error) from error

    async def take(self, name: str, *, owner: str, ttl_seconds: float) -> Lease | None:
        fence = await self._run(self._take, [self._prefix + name, self._fence], [owner, _milliseconds(ttl_seconds)])
        return None if fence is None else Lease(name, owner, int(fence))

    async def renew(self, lease: Lease, *, ttl_seconds: float) -> bool:
        arguments = [str(lease.fence), _milliseconds(ttl_seconds)]
        return bool(await self._run(self._renew, [self._prefix + lease.name], arguments))

    async def release(self, lease: Lease) -> bool:
        return bool(await self._run(self._release, [self._prefix + lease.name], [str(lease.fence)]))

    async def drop(self, prefix: str) -> int:
        """Walks through all keys in small steps; a name may hold characters that mean something in a pattern."""
        pattern = re.sub(r"([\[\]*?\\])", r"\\\1", self._prefix + prefix) + "*"
        dropped = 0
        try:
            async for key in self._client.scan_iter(match=pattern, count=1000):
                dropped += await self._client.delete(key)
        except AWAY as error:
            raise _unavailable(error) from error
        return dropped

    @staticmethod
    async def _run(script: Any, keys: list[str], arguments: list[Any]) -> Any:
        try:
            return await script(keys=keys, args=arguments)
        except AWAY as error:
            raise _unavailable(error) from error


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable("redis", f"{type(error).__name__} {error}".strip())
