"""What every keeper of locks promises. A subclass brings the fixture `locks`."""

import asyncio
import time
from uuid import uuid4

from somafractalmemory.ports import Lease, Locks


async def taken(locks: Locks, name: str, owner: str = "me", ttl_seconds: float = 60.0) -> Lease:
    """A lock that is free."""
    lease = await locks.take(name, owner=owner, ttl_seconds=ttl_seconds)
    assert lease is not None
    return lease


async def taken_later(locks: Locks, name: str, owner: str, *, deadline_seconds: float = 10.0) -> Lease:
    """A lock that becomes free."""
    deadline = time.monotonic() + deadline_seconds
    while time.monotonic() < deadline:
        if lease := await locks.take(name, owner=owner, ttl_seconds=60.0):
            return lease
        await asyncio.sleep(0.005)
    raise AssertionError(f"{name} was still held after {deadline_seconds:g} s")


class LocksContract:
    """Behaviour, not implementation."""

    async def test_a_lock_is_held_by_one_until_it_is_released(self, locks: Locks) -> None:
        name = uuid4().hex
        lease = await taken(locks, name)

        assert await locks.take(name, owner="you", ttl_seconds=60.0) is None
        assert await locks.release(lease)
        assert (await taken(locks, name, "you")).owner == "you"

    async def test_locks_of_other_names_are_free(self, locks: Locks) -> None:
        name = uuid4().hex
        await taken(locks, name)

        assert await locks.take(f"{name}:other", owner="you", ttl_seconds=60.0)

    async def test_an_owner_that_asks_again_gets_its_own_lease(self, locks: Locks) -> None:
        name = uuid4().hex

        assert await taken(locks, name) == await taken(locks, name)

    async def test_a_lock_whose_time_has_passed_is_free_and_its_holder_is_told(self, locks: Locks) -> None:
        """(core defect 25)"""
        name = uuid4().hex
        late = await taken(locks, name, ttl_seconds=0.05)

        lease = await taken_later(locks, name, "you")

        assert lease.fence > late.fence
        assert not await locks.renew(late, ttl_seconds=60.0)
        assert not await locks.release(late)
        assert await locks.renew(lease, ttl_seconds=60.0)

    async def test_a_renewed_lock_outlives_its_first_time(self, locks: Locks) -> None:
        """(core defect 25)"""
        name, other = uuid4().hex, uuid4().hex
        lease = await taken(locks, name, ttl_seconds=0.3)
        assert await locks.renew(lease, ttl_seconds=60.0)

        await taken(locks, other, ttl_seconds=0.3)
        await taken_later(locks, other, "you")

        assert await locks.take(name, owner="you", ttl_seconds=60.0) is None

    async def test_fences_of_a_name_only_ever_grow(self, locks: Locks) -> None:
        """(core defect 25)"""
        name = uuid4().hex
        fences = []
        for turn in range(20):
            lease = await taken(locks, name, str(turn % 2))
            fences.append(lease.fence)
            assert await locks.release(lease)

        assert fences == sorted(set(fences))

    async def test_a_released_lock_can_be_neither_renewed_nor_released_again(self, locks: Locks) -> None:
        lease = await taken(locks, uuid4().hex)
        await locks.release(lease)

        assert not await locks.renew(lease, ttl_seconds=60.0)
        assert not await locks.release(lease)

    async def test_of_many_that_ask_at_once_one_gets_it(self, locks: Locks) -> None:
        name = uuid4().hex

        leases = await asyncio.gather(*(locks.take(name, owner=str(n), ttl_seconds=60.0) for n in range(30)))

        assert len([lease for lease in leases if lease]) == 1

    async def test_it_answers_when_asked_how_it_is(self, locks: Locks) -> None:
        await locks.ping()

    async def test_names_that_start_alike_are_dropped_together(self, locks: Locks) -> None:
        space = f"sp*ce[{uuid4().hex}]?\\"
        for name in (f"{space}/a", f"{space}/b", f"{space}2/a"):
            await taken(locks, name)

        assert await locks.drop(f"{space}/") == 2
        assert await locks.drop(f"{space}/") == 0
        await taken(locks, f"{space}/a", "you")
        assert await locks.take(f"{space}2/a", owner="you", ttl_seconds=60.0) is None
