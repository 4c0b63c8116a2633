"""What makes the operator unhealthy, and what only keeps it from being ready."""

import asyncio
import time
from typing import Any, cast

from somamemory_operator.cluster.lease import Leader
from somamemory_operator.cluster.watches import Watch
from somamemory_operator.process.health import Health, Limits

LIMITS = Limits(look=20, deaf=60, silent=300, leaderless=60)


class FakeListener:
    def __init__(self, *, ready: bool = True, age: float = 0.0) -> None:
        self.ready, self._age = ready, age

    def age(self) -> float:
        return self._age

    def start(self) -> None: ...
    def stop(self) -> None: ...


class FakeWatch:
    kind = "Pod"

    def __init__(self, *, synced: bool = True, age: float = 0.0) -> None:
        self._age, self.synced = age, asyncio.Event()
        if synced:
            self.synced.set()

    def age(self) -> float:
        return self._age


class FakeLeader:
    def __init__(self, silent: float) -> None:
        self.heard_at = time.monotonic() - silent


def health(
    *,
    listener: FakeListener | None,
    watch: FakeWatch,
    listed: float = 0.0,
    leader: FakeLeader | None = None,
) -> Health:
    made = Health(LIMITS)
    made.listener, made.watches = listener, [cast("Watch", cast("Any", watch))]
    made.leader, made.listed_at = cast("Leader | None", cast("Any", leader)), time.monotonic() - listed
    return made


def test_all_is_well() -> None:
    well = health(listener=FakeListener(), watch=FakeWatch(), leader=FakeLeader(silent=2))

    assert list(well.problems()) == []
    assert list(well.obstacles()) == []


def test_while_it_starts_it_is_healthy_but_not_ready() -> None:
    starting = Health(LIMITS)

    assert list(starting.problems()) == []
    assert list(starting.obstacles()) == ["Kopf does not listen yet"]


def test_a_kopf_that_hangs_is_unhealthy() -> None:
    assert list(health(listener=FakeListener(age=61), watch=FakeWatch()).problems()) == ["Kopf has not moved for 61 s"]


def test_a_silent_watch_is_unhealthy_while_the_server_answers() -> None:
    silent = health(listener=FakeListener(), watch=FakeWatch(age=301))

    assert list(silent.problems()) == ["the watch of Pod has been silent for 301 s"]


def test_an_api_server_that_is_away_is_not_mended_by_a_new_start() -> None:
    away = health(listener=FakeListener(), watch=FakeWatch(age=301), listed=300)

    assert list(away.problems()) == []


def test_a_watch_out_of_sync_and_a_lost_lease_keep_it_from_being_ready() -> None:
    unready = health(listener=FakeListener(), watch=FakeWatch(synced=False), leader=FakeLeader(silent=61))

    assert list(unready.problems()) == []
    assert list(unready.obstacles()) == [
        "the Lease cannot be read: check the API server and the RBAC rules",
        "the watch of Pod is not in sync yet",
    ]
