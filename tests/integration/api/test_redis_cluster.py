"""A Redis Cluster of three servers: limits are spread over all of it, locks are in one slot."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.cluster import RedisCluster

from somafractalmemory.adapters.redis import open_limiter
from somafractalmemory.adapters.redis_locks import open_locks
from somafractalmemory.errors import Unavailable
from somafractalmemory.ports import Limiter
from somafractalmemory.settings import load_settings
from somafractalmemory.settings.clients import password_of
from tests.integration.api.test_preflight import found
from tests.services.fixtures import skip_without
from tests.services.redis import RedisServer
from tests.services.server import free_port

PASSWORD = "for-tests-only"


class Member(RedisServer):
    """One server of a cluster."""

    def prepare(self) -> None:
        super().prepare()
        lines = ["cluster-enabled yes", f"cluster-port {self.port + 1}", f"masterauth {PASSWORD}"]
        lines += ["cluster-require-full-coverage no", "cluster-node-timeout 2000"]
        with (self.folder / "redis.conf").open("a") as configuration:
            configuration.write("\n".join(lines) + "\n")


@dataclass
class Joined:
    """Three servers that share all slots, found by two of them."""

    members: list[Member]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{each.port}" for each in self.members[:2])

    def client(self) -> RedisCluster:
        return RedisCluster(host="127.0.0.1", port=self.members[0].port, password=PASSWORD, decode_responses=True)


def ask(member: Member, *words: str) -> str:
    command = ["redis-cli", "-p", str(member.port), *words]
    environment = {"REDISCLI_AUTH": PASSWORD, "PATH": "/usr/bin:/bin:/usr/local/bin"}
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environment).stdout


@pytest.fixture(scope="module")
def joined() -> Iterator[Joined]:
    skip_without("redis-server", "redis-cli")
    with ExitStack() as stack:
        members = [stack.enter_context(Member()) for _ in range(3)]
        places = [f"127.0.0.1:{member.port}" for member in members]
        ask(members[0], "--cluster", "create", *places, "--cluster-replicas", "0", "--cluster-yes")
        deadline = time.monotonic() + 30
        while not all("cluster_state:ok" in ask(member, "cluster", "info") for member in members):
            assert time.monotonic() < deadline, "the cluster does not come about"
            time.sleep(0.2)
        yield Joined(members)


async def test_limits_are_spread_and_locks_are_in_one_slot(joined: Joined) -> None:
    settings = load_settings({"REDIS_URL": joined.url, "REDIS_PASSWORD": PASSWORD})
    address, password = settings.redis_address or "", password_of(settings, "redis")
    async with (
        open_limiter(url=address, password=password, limit=3, window_seconds=60) as limiter,
        open_locks(url=address, password=password) as locks,
    ):
        budgets = await asyncio.gather(*(limiter.hit(f"caller-{number}") for number in range(60)))
        assert {budget.remaining for budget in budgets} == {2}
        again = [await limiter.hit("caller-1") for _ in range(3)]
        assert [budget.allowed for budget in again] == [True, True, False]

        first = await locks.take("door", owner="me", ttl_seconds=30)
        assert first is not None
        assert await locks.take("door", owner="you", ttl_seconds=30) is None
        assert await locks.renew(first, ttl_seconds=30)
        assert await locks.release(first)
        second = await locks.take("door", owner="you", ttl_seconds=30)
        assert second is not None
        assert second.fence > first.fence
        assert await locks.take("gate", owner="me", ttl_seconds=30) is not None
        assert await locks.drop("") == 2

    with joined.client() as client:
        keys = client.keys("soma:*", target_nodes=RedisCluster.ALL_NODES)
        assert len({client.keyslot(key) for key in keys if "limit" in key}) > 1
        assert len({client.keyslot(key) for key in keys if "lock" in key}) == 1


async def test_a_password_that_changes_in_its_file_is_shown_to_every_server(joined: Joined, tmp_path: Path) -> None:
    """Its servers change over one after another; programs hold both meanwhile."""
    file = tmp_path / "REDIS_PASSWORD"
    file.write_text("the-next-one")
    file.with_name("REDIS_PASSWORD_PREVIOUS").write_text(PASSWORD)
    settings = load_settings({"REDIS_URL": joined.url, "REDIS_PASSWORD_FILE": str(file)})
    async with open_limiter(
        url=settings.redis_address or "", password=password_of(settings, "redis"), limit=9, window_seconds=60
    ) as limiter:
        assert (await limiter.hit("somebody")).allowed
        budgets = await asyncio.gather(*(limiter.hit(f"another-{number}") for number in range(30)))
        assert all(budget.allowed for budget in budgets)


async def test_what_one_server_has_is_away_with_it_and_comes_back(joined: Joined) -> None:
    settings = load_settings({"REDIS_URL": joined.url, "REDIS_PASSWORD": PASSWORD})
    async with open_limiter(
        url=settings.redis_address or "", password=password_of(settings, "redis"), limit=99, window_seconds=60
    ) as limiter:
        for number in range(30):
            await limiter.hit(f"before-{number}")
        await asyncio.to_thread(joined.members[2].kill9)
        outcomes = [await outcome(limiter, f"before-{number}") for number in range(30)]
        assert 0 < outcomes.count("away") < 30, "the others go on"

        await asyncio.to_thread(joined.members[2].start)

        deadline = time.monotonic() + 30
        while "away" in [await outcome(limiter, f"before-{number}") for number in range(30)]:
            assert time.monotonic() < deadline, "it does not come back"
            await asyncio.sleep(0.2)


async def test_nobody_who_answers_is_told_as_any_store_that_is_away() -> None:
    address = f"redis+cluster://127.0.0.1:{free_port()}"
    async with (
        open_limiter(url=address, password=None, limit=9, window_seconds=60) as limiter,
        open_locks(url=address, password=None) as locks,
    ):
        assert await outcome(limiter, "any") == "away"
        with pytest.raises(Unavailable):
            await locks.take("door", owner="me", ttl_seconds=5)


async def outcome(limiter: Limiter, key: str) -> str:
    try:
        await limiter.hit(key)
    except Unavailable:
        return "away"
    return "there"


def test_preflight_asks_the_cluster(joined: Joined) -> None:
    environment = {"REDIS_URL": joined.url, "REDIS_PASSWORD": PASSWORD}

    assert found(environment, "redis")["reason"] == "Ready"
    assert found(environment | {"REDIS_PASSWORD": "not-the-password"}, "redis")["reason"] == "LoginFailed"
