"""Two who want different things do not fight without end."""

from somamemory_operator.model.desired import Handover
from somamemory_operator.model.observed import Key
from somamemory_operator.reconcile.repairs import Repairs


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def of(entry: str) -> Handover:
    return Handover(Key("Service", "demo"), "1", (), (entry,))


def repaired(repairs: Repairs, clock: Clock, entry: str, seconds: int) -> int:
    """How often the entry is taken out in so many seconds when it always comes back within one."""
    count = 0
    for _ in range(seconds):
        if repairs.is_due(of(entry)):
            repairs.made(of(entry))
            count += 1
        clock.now += 1
    return count


def test_what_always_comes_back_is_taken_out_ever_more_seldom() -> None:
    clock = Clock()
    repairs = Repairs(clock)

    first, later = repaired(repairs, clock, "a", 60), repaired(repairs, clock, "a", 3600)

    assert 3 < first < 15
    assert later < 40


def test_another_entry_is_taken_out_at_once() -> None:
    clock = Clock()
    repairs = Repairs(clock)
    repaired(repairs, clock, "a", 60)

    assert repairs.is_due(of("b"))


def test_after_a_calm_it_begins_anew() -> None:
    clock = Clock()
    repairs = Repairs(clock)
    repaired(repairs, clock, "a", 60)
    clock.now += 10_000

    assert repaired(repairs, clock, "a", 3) == 3
