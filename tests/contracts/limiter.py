"""What every limiter promises. A subclass brings the fixture `open_limiter`: limit and window -> an opened limiter."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

from somafractalmemory.model import Budget
from somafractalmemory.ports import Limiter

OpenLimiter = Callable[[int, float], Awaitable[Limiter]]


async def allowed_again(limiter: Limiter, key: str, *, deadline_seconds: float = 10.0) -> Budget:
    """Asks until the key is let through."""
    deadline = time.monotonic() + deadline_seconds
    while time.monotonic() < deadline:
        budget = await limiter.hit(key)
        if budget.allowed:
            return budget
        await asyncio.sleep(0.005)
    raise AssertionError(f"{key} was still refused after {deadline_seconds:g} s")


class LimiterContract:
    """Behaviour, not implementation."""

    async def test_as_many_requests_as_the_limit_pass_and_no_more(self, open_limiter: OpenLimiter) -> None:
        limiter, key = await open_limiter(3, 60.0), uuid4().hex

        budgets = [await limiter.hit(key) for _ in range(5)]

        assert [budget.allowed for budget in budgets] == [True, True, True, False, False]
        assert [budget.remaining for budget in budgets] == [2, 1, 0, 0, 0]
        assert {budget.limit for budget in budgets} == {3}
        assert all(0 < budget.reset_seconds <= 60 for budget in budgets)

    async def test_keys_do_not_know_each_other(self, open_limiter: OpenLimiter) -> None:
        limiter, key = await open_limiter(1, 60.0), uuid4().hex

        assert (await limiter.hit(f"{key}:a")).allowed
        assert not (await limiter.hit(f"{key}:a")).allowed
        assert (await limiter.hit(f"{key}:b")).allowed

    async def test_requests_at_the_same_time_share_the_budget(self, open_limiter: OpenLimiter) -> None:
        limiter, key = await open_limiter(10, 60.0), uuid4().hex

        budgets = await asyncio.gather(*(limiter.hit(key) for _ in range(50)))

        assert sum(budget.allowed for budget in budgets) == 10
        assert sorted(budget.remaining for budget in budgets if budget.allowed) == list(range(10))

    async def test_a_refused_request_does_not_prolong_the_wait(self, open_limiter: OpenLimiter) -> None:
        """(http defect 10)"""
        limiter, key = await open_limiter(2, 0.3), uuid4().hex
        await limiter.hit(key)
        await limiter.hit(key)
        refused = await limiter.hit(key)

        budget = await allowed_again(limiter, key)

        assert not refused.allowed
        assert refused.reset_seconds <= 0.3
        assert budget.remaining <= 1

    async def test_a_limit_of_nothing_lets_nothing_through(self, open_limiter: OpenLimiter) -> None:
        limiter = await open_limiter(0, 60.0)

        budget = await limiter.hit(uuid4().hex)

        assert not budget.allowed
        assert budget.remaining == 0

    async def test_it_answers_when_asked_how_it_is(self, open_limiter: OpenLimiter) -> None:
        await (await open_limiter(1, 1.0)).ping()
