"""When a maintenance window is open."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from somamemory_operator.resource.upgrade import Upgrade, Window

NIGHTS = Window(start="23:00", hours=4, days=["Saturday"])  # 31 January 2026 is one
SATURDAY = datetime(2026, 1, 31, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (SATURDAY - timedelta(seconds=1), False),
        (SATURDAY, True),
        (SATURDAY + timedelta(hours=3, minutes=59), True),  # Sunday by then
        (SATURDAY + timedelta(hours=4), False),
        (SATURDAY + timedelta(days=1), False),
        (SATURDAY + timedelta(days=7), True),
        (SATURDAY.astimezone(timezone(timedelta(hours=9))), True),
    ],
)
def test_a_window_is_open_from_its_start_for_its_hours(moment: datetime, expected: bool) -> None:
    assert NIGHTS.is_open(moment) is expected


def test_a_window_without_days_opens_every_day() -> None:
    daily = Window(start="02:00", hours=1)

    assert all(daily.is_open(datetime(2026, 2, day, 2, 30, tzinfo=UTC)) for day in range(1, 8))


@pytest.mark.parametrize("hours", [4, 30, 100, 167])
def test_a_closed_window_tells_how_long_it_stays_closed(hours: int) -> None:
    now = SATURDAY + timedelta(hours=hours)
    seconds = NIGHTS.seconds_until_open(now)

    assert seconds is not None
    assert NIGHTS.is_open(now + timedelta(seconds=seconds))
    assert not NIGHTS.is_open(now + timedelta(seconds=seconds - 1))


def test_an_open_window_is_nothing_to_wait_for() -> None:
    """Or what stays pending in it, being no step that the data survives, would be looked at without a pause."""
    assert NIGHTS.seconds_until_open(SATURDAY + timedelta(hours=1)) is None


def test_without_a_clock_no_window_is_open() -> None:
    upgrade = Upgrade(stores="Window", window=Window(start="00:00", hours=24))

    assert upgrade.is_agreed("0.1.0", SATURDAY)
    assert not upgrade.is_agreed("0.1.0", None)
