"""Rate limits in Redis: one script decides and counts, on Redis' own clock.

A window opens with a key's first request and closes by itself; a refused request neither counts nor prolongs it.
Requests that come together share one round trip, and those of one key one call of the script: the client's part costs
more than the server's.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError

from somafractalmemory import telemetry
from somafractalmemory.adapters.redis_login import AWAY, client_of
from somafractalmemory.errors import Unavailable
from somafractalmemory.indexing.batching import Batcher
from somafractalmemory.model import Budget
from somafractalmemory.ports import Limiter
from somafractalmemory.settings.passwords import Password

log = structlog.get_logger(__name__)

_PREFIX = "soma:limit:"
_SCRIPT = """
local limit, window, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local used, left = tonumber(redis.call('GET', KEYS[1]) or '0'), redis.call('PTTL', KEYS[1])
if left < 0 then used = 0 end
local granted = math.min(wanted, math.max(limit - used, 0))
if granted > 0 then
  if left < 0 then redis.call('SET', KEYS[1], granted, 'PX', window)
  else redis.call('INCRBY', KEYS[1], granted) end
end
return {granted, used, left < 0 and window or left}
"""
_SHA = sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    """One hit; equal to no other, so that a batch may hold several of one key."""

    key: str


@asynccontextmanager
async def open_limiter(
    *,
    url: str,
    password: Password | str | None,
    limit: int,
    window_seconds: float,
    timeout_seconds: float = 0.5,
    tls: Mapping[str, Any] | None = None,
) -> AsyncIterator["RedisLimiter"]:
    """A limiter at `url`; opens even while nobody answers there. `tls` are further arguments of the client."""
    client = client_of(
        url,
        password=password,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),  # a kept connection may be dead
        **(tls or {}),
    )
    limiter = RedisLimiter(client, limit=limit, window_seconds=window_seconds, timeout_seconds=timeout_seconds)
    try:
        async with limiter:
            yield limiter
    finally:
        await client.aclose()


class RedisLimiter:
    """Counts requests of all processes together."""

    def __init__(self, client: Any, *, limit: int, window_seconds: float, timeout_seconds: float = 0.5) -> None:
        self._client = client
        self._limit = limit
        self._arguments = (limit, max(1, round(window_seconds * 1000)))
        self._requests: Batcher[_Request, Budget] = Batcher(
            self._count, name="redis", key=lambda request: request, timeout_seconds=2 * timeout_seconds
        )

    async def __aenter__(self) -> "RedisLimiter":
        await self._requests.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._requests.__aexit__()

    async def ping(self) -> None:
        try:
            await self._client.execute_command("PING")
        except AWAY as error:
            raise _unavailable(error) from error

    async def hit(self, key: str) -> Budget:
        return await self._requests.submit(_Request(_PREFIX + key))

    async def _count(self, requests: Sequence[_Request]) -> Sequence[Budget]:
        wanted = list(Counter(request.key for request in requests).items())
        try:
            answers = await self._run("EVALSHA", _SHA, wanted)
            if any(isinstance(answer, NoScriptError) for answer in answers):  # restarted, or its scripts were flushed
                unknown = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
                for at, answer in zip(
                    unknown, await self._run("EVAL", _SCRIPT, [wanted[at] for at in unknown]), strict=True
                ):
                    answers[at] = answer
            budgets = {
                key: iter(self._budgets(answer, count)) for (key, count), answer in zip(wanted, answers, strict=True)
            }
            return [next(budgets[request.key]) for request in requests]
        except AWAY as error:
            raise _unavailable(error) from error

    async def _run(self, command: str, script: str, wanted: Sequence[tuple[str, int]]) -> list[Any]:
        if len(wanted) == 1:
            ((key, count),) = wanted
            try:
                return [await self._client.execute_command(command, script, 1, key, *self._arguments, count)]
            except NoScriptError as error:
                return [error]
        pipeline = self._client.pipeline(transaction=False)
        for key, count in wanted:
            pipeline.execute_command(command, script, 1, key, *self._arguments, count)
        return list(await pipeline.execute(raise_on_error=False))

    def _budgets(self, answer: Any, count: int) -> list[Budget]:
        """One for each request of a key: the first ones are granted, with what is left after each."""
        if isinstance(answer, Exception):
            raise answer
        granted, used, milliseconds = answer
        return [
            Budget(
                allowed=number < granted,
                limit=self._limit,
                remaining=max(self._limit - used - min(number + 1, granted), 0),
                reset_seconds=milliseconds / 1000,
            )
            for number in range(count)
        ]


class FallbackLimiter:
    """Counts in this process while the shared limiter is away, and asks for it again once in a while."""

    def __init__(
        self,
        primary: Limiter,
        fallback: Limiter,
        *,
        pause_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._primary = primary
        self._fallback = fallback
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._away = False
        self._ask_again_at = float("-inf")

    async def ping(self) -> None:
        """Whether the shared limiter answers."""
        await self._primary.ping()

    async def hit(self, key: str) -> Budget:
        if not self._away or self._clock() >= self._ask_again_at:
            self._ask_again_at = self._clock() + self._pause_seconds  # while it is away, one request asks for all
            try:
                budget = await self._primary.hit(key)
            except Unavailable as error:
                self._note(away=True, error=error)
            else:
                self._note(away=False)
                return budget
        telemetry.LIMITER_FALLBACKS.inc()
        return await self._fallback.hit(key)

    def _note(self, *, away: bool, error: Unavailable | None = None) -> None:
        if away and not self._away:
            log.warning("limiter_fallback", error=str(error), hint="each process counts for itself until Redis is back")
        elif self._away and not away:
            log.info("limiter_recovered")
        self._away = away


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable("redis", f"{type(error).__name__} {error}".strip())
