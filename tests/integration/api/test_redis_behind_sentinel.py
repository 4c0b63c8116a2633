"""Redis behind Sentinel: limits and locks follow to another master, and preflight says what is wrong."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from redis import Redis
from redis.exceptions import RedisError

from somafractalmemory.adapters.redis import open_limiter
from somafractalmemory.adapters.redis_locks import open_locks
from somafractalmemory.errors import Unavailable
from somafractalmemory.settings import load_settings
from somafractalmemory.settings.clients import password_of
from tests.integration.api.test_preflight import found
from tests.services.fixtures import skip_without
from tests.services.redis import RedisServer

PASSWORD = "for-tests-only"


class Replica(RedisServer):
    """Follows a master."""

    master: RedisServer

    def prepare(self) -> None:
        super().prepare()
        with (self.folder / "redis.conf").open("a") as configuration:
            configuration.write(f"replicaof 127.0.0.1 {self.master.port}\nmasterauth {PASSWORD}\n")


class SentinelServer(RedisServer):
    """Watches a master called `ours`, and decides alone."""

    master: RedisServer

    def prepare(self) -> None:
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"dir {self.folder}",
            f"sentinel monitor ours 127.0.0.1 {self.master.port} 1",
            f"sentinel auth-pass ours {PASSWORD}",
            "sentinel down-after-milliseconds ours 1000",
            "sentinel failover-timeout ours 5000",
        ]
        configuration = self.folder / "redis.conf"
        configuration.write_text("\n".join(lines) + "\n")
        self.own(configuration)

    def command(self) -> list[str]:
        return [*super().command(), "--sentinel"]

    def answers(self) -> bool:
        try:
            with Redis(port=self.port, socket_timeout=1) as sentinel:
                [(_, told)] = sentinel.sentinel_masters().items()
                return int(told["num-slaves"]) >= 1
        except (RedisError, ValueError, KeyError):
            return False


@dataclass
class Watched:
    """A master, its replica, and who watches them."""

    master: RedisServer
    url: str


@pytest.fixture
def watched() -> Iterator[Watched]:
    skip_without("redis-server")
    with ExitStack() as stack:
        master = stack.enter_context(RedisServer())
        for kind in (Replica, SentinelServer):
            kind.master = master
        with (master.folder / "redis.conf").open("a") as configuration:
            configuration.write(f"masterauth {PASSWORD}\n")
        stack.enter_context(Replica())
        sentinel = stack.enter_context(SentinelServer())
        yield Watched(master, f"redis+sentinel://127.0.0.1:{sentinel.port}/0?service=ours")


async def test_limits_and_locks_follow_to_another_master(watched: Watched) -> None:
    settings = load_settings({"REDIS_URL": watched.url, "REDIS_PASSWORD": PASSWORD})
    address, password = settings.redis_address or "", password_of(settings, "redis")
    async with (
        open_limiter(url=address, password=password, limit=100, window_seconds=60) as limiter,
        open_locks(url=address, password=password) as locks,
    ):
        assert (await limiter.hit("any")).remaining == 99
        assert await locks.take("door", owner="me", ttl_seconds=5) is not None

        await asyncio.to_thread(watched.master.kill9)

        deadline = time.monotonic() + 30
        while True:
            try:
                await limiter.hit("any")
                assert await locks.take("another door", owner="me", ttl_seconds=5) is not None
                break
            except Unavailable:
                assert time.monotonic() < deadline, "no other master is found"
                await asyncio.sleep(0.2)


def test_preflight_asks_the_master_that_they_name(watched: Watched) -> None:
    environment = {"REDIS_URL": watched.url, "REDIS_PASSWORD": PASSWORD}

    assert found(environment, "redis")["reason"] == "Ready"
    assert found(environment | {"REDIS_PASSWORD": "not-the-password"}, "redis")["reason"] == "LoginFailed"
    other = found(environment | {"REDIS_URL": watched.url.replace("ours", "theirs")}, "redis")
    assert other["reason"] == "Unreachable"
    assert "theirs" in other["message"]
