"""Who leads, told by an injected clock and a lease in memory."""

import asyncio
import copy
from typing import Any

import pytest

from somamemory_operator.cluster.errors import ApiError
from somamemory_operator.cluster.lease import Leader, Lease, Times
from somamemory_operator.telemetry.metrics import Metrics
from tests.unit.operator.waiting import until

TIMES = Times(duration=15, renew_deadline=10, retry=2)


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeLeases:
    """A Lease as the API server keeps it: a write onto an old version is a conflict."""

    def __init__(self) -> None:
        self.lease: Lease | None = None
        self.version, self.writes, self.away = 0, 0, False

    async def read(self) -> Lease | None:
        self._answer()
        return copy.deepcopy(self.lease)

    async def create(self, spec: dict[str, Any]) -> Lease:
        self._answer()
        if self.lease is not None:
            raise ApiError("POST", 409, "AlreadyExists", "")
        return self._write({"metadata": {}, "spec": spec})

    async def replace(self, lease: Lease) -> Lease:
        self._answer()
        if lease["metadata"]["resourceVersion"] != str(self.version):
            raise ApiError("PUT", 409, "Conflict", "")
        return self._write(lease)

    def _write(self, lease: Lease) -> Lease:
        self.version, self.writes = self.version + 1, self.writes + 1
        self.lease = copy.deepcopy(lease)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(self.lease)

    def _answer(self) -> None:
        if self.away:
            raise ApiError("GET", 0, "Unreachable", "")

    @property
    def holder(self) -> str:
        assert self.lease is not None
        return str(self.lease["spec"]["holderIdentity"])


@pytest.fixture
def leases() -> FakeLeases:
    return FakeLeases()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def leader(leases: FakeLeases, clock: Clock, identity: str) -> Leader:
    return Leader(leases, identity, Metrics(), TIMES, clock)


async def test_the_first_takes_the_lease_and_the_second_waits(leases: FakeLeases, clock: Clock) -> None:
    first, second = leader(leases, clock, "first"), leader(leases, clock, "second")

    await first.attempt()
    await second.attempt()

    assert (first.leading(), second.leading()) == (True, False)
    assert leases.holder == "first"


async def test_trust_runs_out_before_anybody_else_may_take_over(leases: FakeLeases, clock: Clock) -> None:
    first, second = leader(leases, clock, "first"), leader(leases, clock, "second")
    await first.attempt()
    await second.attempt()

    leases_away_since = clock.now
    clock.now = leases_away_since + TIMES.renew_deadline
    assert not first.leading()
    await second.attempt()
    assert not second.leading()

    clock.now = leases_away_since + TIMES.duration
    await second.attempt()
    assert second.leading()
    assert leases.lease is not None
    assert leases.lease["spec"]["leaseTransitions"] == 2


async def test_a_slow_answer_shortens_the_trust(leases: FakeLeases, clock: Clock) -> None:
    """Trust counts from when the renewal was sent: a rival may count from when it saw it, which is later."""

    class Slow(FakeLeases):
        async def create(self, spec: dict[str, Any]) -> Lease:
            clock.now += 6
            return await super().create(spec)

    slow = leader(Slow(), clock, "slow")
    await slow.attempt()
    assert slow.leading()

    clock.now += 4

    assert not slow.leading()


async def test_a_renewed_lease_is_never_taken(leases: FakeLeases, clock: Clock) -> None:
    first, second = leader(leases, clock, "first"), leader(leases, clock, "second")
    for _ in range(20):
        await first.attempt()
        await second.attempt()
        clock.now += 2

    assert leases.holder == "first"
    assert not second.leading()


async def test_of_two_that_take_an_expired_lease_one_wins(leases: FakeLeases, clock: Clock) -> None:
    dead, one, two = (leader(leases, clock, name) for name in ("dead", "one", "two"))
    await dead.attempt()
    await asyncio.gather(one.attempt(), two.attempt())
    clock.now += TIMES.duration

    answers = await asyncio.gather(one.attempt(), two.attempt(), return_exceptions=True)

    assert one.leading() != two.leading()
    assert sum(isinstance(answer, ApiError) and answer.conflict for answer in answers) <= 1


async def test_a_lease_given_back_is_taken_at_once(leases: FakeLeases, clock: Clock) -> None:
    first, second = leader(leases, clock, "first"), leader(leases, clock, "second")
    await first.attempt()
    await second.attempt()

    await first.release()
    await second.attempt()

    assert (first.leading(), second.leading()) == (False, True)


async def test_who_does_not_lead_gives_nothing_back(leases: FakeLeases, clock: Clock) -> None:
    first, second = leader(leases, clock, "first"), leader(leases, clock, "second")
    await first.attempt()
    writes = leases.writes

    await second.release()

    assert (leases.writes, leases.holder) == (writes, "first")


async def test_the_same_pod_started_anew_goes_on_leading(leases: FakeLeases, clock: Clock) -> None:
    await leader(leases, clock, "pod").attempt()

    again = leader(leases, clock, "pod")
    await again.attempt()

    assert again.leading()
    assert leases.lease is not None
    assert leases.lease["spec"]["leaseTransitions"] == 1


async def test_gain_and_loss_are_told_once_each(leases: FakeLeases) -> None:
    told: list[str] = []
    quick = Leader(leases, "quick", Metrics(), Times(duration=3, renew_deadline=2, retry=0.05))
    run = asyncio.ensure_future(quick.run(lambda: told.append("gained"), lambda: told.append("lost")))
    await until(lambda: told == ["gained"])
    leases.away = True
    await until(lambda: told == ["gained", "lost"])
    leases.away = False
    await until(lambda: told == ["gained", "lost", "gained"])
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)

    assert told == ["gained", "lost", "gained", "lost"]
    assert leases.holder == ""
