"""Locks are waited for with a limit, kept while the work lasts, and their loss is told."""

import asyncio
from collections.abc import Callable

import pytest

from somafractalmemory.adapters.local_locks import LocalLocks
from somafractalmemory.errors import InvalidRequest, Unavailable
from somafractalmemory.ports import Lease
from somafractalmemory.usecases.locking import Locking


class FlakyLocks(LocalLocks):
    """Locks of a store that can go away."""

    away = False
    renewals = 0

    async def renew(self, lease: Lease, *, ttl_seconds: float) -> bool:
        self._check()
        self.renewals += 1
        return await super().renew(lease, ttl_seconds=ttl_seconds)

    async def release(self, lease: Lease) -> bool:
        self._check()
        return await super().release(lease)

    def _check(self) -> None:
        if self.away:
            raise Unavailable("redis", "switched off")


async def until(look: Callable[[], object]) -> None:
    """Fails after ten seconds."""
    async with asyncio.timeout(10):
        while not look():  # noqa: ASYNC110  # no event of asyncio's
            await asyncio.sleep(0.002)


async def test_a_lock_that_others_keep_is_waited_for_no_longer_than_told() -> None:
    """(core defect 25)"""
    locking = Locking(locks=LocalLocks())
    lease = await locking.acquire(namespace="here", name="door")

    assert await locking.acquire(namespace="here", name="door", wait_seconds=0.05) is None
    assert lease is not None
    assert await locking.release(lease)
    assert await locking.acquire(namespace="here", name="door", wait_seconds=0.0) is not None


async def test_one_who_waits_gets_the_lock_when_it_is_let_go() -> None:
    locking = Locking(locks=LocalLocks())
    lease = await locking.acquire(namespace="here", name="door")
    waiting = asyncio.create_task(locking.acquire(namespace="here", name="door", wait_seconds=30.0))

    assert lease is not None
    await locking.release(lease)
    later = await waiting

    assert later is not None
    assert later.fence > lease.fence


async def test_namespaces_do_not_share_locks() -> None:
    """(core defect 15)"""
    locking = Locking(locks=LocalLocks())

    assert await locking.acquire(namespace="a", name="b:door", wait_seconds=0)
    assert await locking.acquire(namespace="a:b", name="door", wait_seconds=0)
    assert not await locking.acquire(namespace="a", name="b:door", wait_seconds=0)


async def test_a_lock_is_prolonged_as_long_as_the_work_lasts() -> None:
    """(core defect 25)"""
    locks = FlakyLocks()
    locking = Locking(locks=locks)

    async with locking.hold(namespace="here", name="door", ttl_seconds=0.05) as held:
        await until(lambda: locks.renewals >= 5)
        assert await locking.acquire(namespace="here", name="door", wait_seconds=0) is None

    assert held is not None
    assert not held.lost
    assert await locking.acquire(namespace="here", name="door", wait_seconds=0) is not None


async def test_a_holder_whose_store_stays_away_is_told_that_it_lost_the_lock() -> None:
    """(core defect 25)"""
    locks = FlakyLocks()

    async with Locking(locks=locks).hold(namespace="here", name="door", ttl_seconds=0.05) as held:
        assert held is not None
        locks.away = True
        await until(lambda: held.lost)


async def test_work_that_fails_lets_go_of_its_lock() -> None:
    locking = Locking(locks=LocalLocks())

    with pytest.raises(ValueError, match="broken"):
        async with locking.hold(namespace="here", name="door"):
            raise ValueError("broken")

    assert await locking.acquire(namespace="here", name="door", wait_seconds=0) is not None


async def test_work_for_which_there_is_no_lock_is_told_so() -> None:
    locking = Locking(locks=LocalLocks())
    await locking.acquire(namespace="here", name="door")

    async with locking.hold(namespace="here", name="door", wait_seconds=0) as held:
        assert held is None


@pytest.mark.parametrize(
    ("name", "ttl", "wait"), [("", 1, 1), ("x" * 257, 1, 1), ("a\x00b", 1, 1), ("x", 0, 1), ("x", 1, -1), ("x", 1, 1e9)]
)
async def test_a_lock_that_makes_no_sense_is_refused(name: str, ttl: float, wait: float) -> None:
    with pytest.raises(InvalidRequest):
        await Locking(locks=LocalLocks()).acquire(namespace="here", name=name, ttl_seconds=ttl, wait_seconds=wait)
