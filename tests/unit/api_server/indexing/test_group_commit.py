"""Concurrent calls share a batch, and nobody suffers for a neighbour."""

import asyncio
from collections.abc import Sequence

import pytest

from somafractalmemory.errors import Overloaded, Rejected, Unavailable
from somafractalmemory.indexing.batching import Batcher
from somafractalmemory.security import tenancy


class Store:
    """Doubles numbers; refuses negative ones, dies on 99; can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.busy_twice = asyncio.Event()

    async def work(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        if len(self.batches) == 2:
            self.busy_twice.set()
        await self.go.wait()
        if any(item < 0 for item in items):
            raise Rejected("negative")
        if 99 in items:
            raise Unavailable("store", "it died")
        return [2 * item for item in items]


async def test_what_arrives_together_goes_together() -> None:
    store = Store()
    store.go.clear()
    async with Batcher(store.work, name="store", key=lambda item: item, workers=1) as batcher:
        calls = [asyncio.create_task(batcher.submit(number)) for number in range(50)]
        await asyncio.sleep(0)
        store.go.set()

        assert await asyncio.gather(*calls) == [2 * number for number in range(50)]
        assert len(store.batches) <= 3


async def test_a_batch_is_done_as_the_service_and_not_as_whoever_called_first() -> None:
    """A caller sees one namespace; those who share its batch write to others."""
    seen: list[object] = []

    async def work(items: Sequence[str]) -> Sequence[str]:
        seen.append(tenancy.visible())
        return items

    async def call(namespace: str) -> str:
        tenancy.confine(namespace)
        return await batcher.submit(namespace)

    async with Batcher(work, name="store", key=lambda item: item) as batcher:
        for _ in range(3):
            assert await asyncio.gather(*map(call, ("one", "other"))) == ["one", "other"]

    assert set(seen) == {None}


async def test_one_poisoned_item_does_not_fail_its_neighbours() -> None:
    store = Store()
    store.go.clear()
    async with Batcher(store.work, name="store", key=lambda item: item, workers=1) as batcher:
        calls = [asyncio.create_task(batcher.submit(number)) for number in [*range(20), -1, *range(20, 40)]]
        await asyncio.sleep(0)
        store.go.set()
        answers = await asyncio.gather(*calls, return_exceptions=True)

    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert [type(error) for error in refused] == [Rejected]
    assert len(answers) - len(refused) == 40


async def test_a_store_that_is_away_fails_the_batch_and_the_next_one_works() -> None:
    store = Store()
    async with Batcher(store.work, name="store", key=lambda item: item) as batcher:
        with pytest.raises(Unavailable):
            await batcher.submit(99)
        assert await batcher.submit(1) == 2


async def test_two_items_of_one_key_never_share_a_batch_and_keep_their_order() -> None:
    store = Store()
    store.go.clear()
    async with Batcher(store.work, name="store", key=lambda item: item % 2, workers=2) as batcher:
        calls = [asyncio.create_task(batcher.submit(number)) for number in range(8)]
        await asyncio.sleep(0)
        store.go.set()
        await asyncio.gather(*calls)

    assert all(len({item % 2 for item in batch}) == len(batch) for batch in store.batches)
    order = [item for batch in store.batches for item in batch]
    assert [item for item in order if item % 2] == [1, 3, 5, 7]
    assert [item for item in order if item % 2 == 0] == [0, 2, 4, 6]


async def test_a_full_queue_refuses_at_once() -> None:
    store = Store()
    store.go.clear()
    async with Batcher(
        store.work, name="store", key=lambda item: item, workers=1, max_batch=1, max_waiting=2
    ) as batcher:
        calls = [asyncio.create_task(batcher.submit(1))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        calls += [asyncio.create_task(batcher.submit(number)) for number in (2, 3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await batcher.submit(4)
        store.go.set()
        assert await asyncio.gather(*calls) == [2, 4, 6]


async def test_no_caller_waits_beyond_the_deadline_and_what_it_gave_up_is_not_done() -> None:
    store = Store()
    store.go.clear()
    async with Batcher(
        store.work, name="store", key=lambda item: item, workers=1, max_batch=1, timeout_seconds=0.05
    ) as batcher:
        answers = await asyncio.gather(*(batcher.submit(number) for number in (1, 2, 3)), return_exceptions=True)
        store.go.set()
        assert await batcher.submit(4) == 8

    assert all(isinstance(answer, Overloaded) for answer in answers)
    assert store.batches == [[1], [4]]


async def test_stopping_fails_those_who_wait() -> None:
    store = Store()
    store.go.clear()
    async with Batcher(store.work, name="store", key=lambda item: item, workers=1, max_batch=1) as batcher:
        calls = [asyncio.create_task(batcher.submit(number)) for number in (1, 2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(answer, Overloaded) for answer in answers)


async def test_a_batch_that_takes_long_holds_nobody_else_up() -> None:
    """One row that somebody has locked would stop every writer for as long as the lock lasts."""
    store = Store()
    store.go.clear()
    async with Batcher(store.work, name="store", key=lambda item: item) as batcher:
        held = asyncio.create_task(batcher.submit(1))
        await asyncio.sleep(0)
        others = [asyncio.create_task(batcher.submit(number)) for number in (2, 3)]
        await asyncio.sleep(0)
        alone = list(store.batches)
        async with asyncio.timeout(10):
            await store.busy_twice.wait()
        store.go.set()

        assert await asyncio.gather(held, *others) == [2, 4, 6]
    assert (alone, store.batches) == ([[1]], [[1], [2, 3]])


async def test_nothing_is_taken_once_it_is_closed() -> None:
    store = Store()
    async with Batcher(store.work, name="store", key=lambda item: item) as batcher:
        await batcher.submit(1)

    with pytest.raises(Overloaded):
        await batcher.submit(2)
