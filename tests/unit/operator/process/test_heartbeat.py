"""Whether Kopf is deaf: a decision from what was heard and what is there."""

from somamemory_operator.cluster.client import Listed
from somamemory_operator.model.observed import MemoryKey
from somamemory_operator.process.heartbeat import Heartbeat

KEY = MemoryKey("space", "demo")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def listed(version: int) -> list[Listed]:
    return [Listed("space", "demo", "uid", version)]


def test_what_was_heard_is_no_reason_to_worry() -> None:
    hearing = Heartbeat(Clock())
    hearing.heard(KEY, 7)

    assert hearing.compare(listed(7)) == []
    assert hearing.deaf_seconds() == 0


def test_a_version_that_is_not_heard_of_counts_from_when_it_was_seen() -> None:
    clock = Clock()
    hearing = Heartbeat(clock)

    assert hearing.compare(listed(7)) == [KEY]
    clock.now = 61

    assert hearing.deaf_seconds() == 61
    assert hearing.unheard() == 1


def test_a_version_heard_of_late_ends_the_worry() -> None:
    hearing = Heartbeat(Clock())
    hearing.compare(listed(7))

    hearing.heard(KEY, 7)

    assert hearing.unheard() == 0


def test_a_resource_that_changes_all_the_time_is_not_deafness() -> None:
    """Events are always a little late; what counts is whether a version that was missing was heard of at all."""
    clock = Clock()
    hearing = Heartbeat(clock)
    for version in range(1, 100):
        hearing.compare(listed(version + 1))
        hearing.heard(KEY, version + 1)
        clock.now += 10

    assert hearing.deaf_seconds() == 0


def test_a_deaf_ear_is_noticed_although_versions_go_on() -> None:
    clock = Clock()
    hearing = Heartbeat(clock)
    hearing.heard(KEY, 1)
    for version in range(2, 10):
        hearing.compare(listed(version))
        clock.now += 10

    assert hearing.deaf_seconds() == 80


def test_a_resource_that_is_gone_is_forgotten() -> None:
    hearing = Heartbeat(Clock())
    hearing.compare(listed(7))

    assert hearing.compare([]) == []
    assert hearing.unheard() == 0


def test_an_old_event_does_not_hide_a_newer_version() -> None:
    hearing = Heartbeat(Clock())
    hearing.heard(KEY, 9)
    hearing.heard(KEY, 3)

    assert hearing.compare(listed(9)) == []
    assert hearing.compare(listed(10)) == [KEY]
