# ruff: noqa: RUF012 - pydantic copies the defaults of a field
"""When the stores take the images that a new release of the operator brings."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from somamemory_operator.resource.base import Model, rules

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Day = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

Release = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][-+._A-Za-z0-9]*$", min_length=1, max_length=128)]


class Window(Model):
    """The hours in which stores may be restarted for a new release."""

    days: Annotated[list[Day], Field(max_length=7, json_schema_extra={"x-kubernetes-list-type": "set"})] = []
    """Days on which it begins; every day when empty."""
    start: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]
    """When it begins, in UTC, such as 02:00."""
    hours: Annotated[int, Field(ge=1, le=24)]
    """How many hours it lasts; it may go past midnight."""

    def is_open(self, now: datetime) -> bool:
        """Whether `now`, which knows its time zone, is inside of it: the start counts, the end does not."""
        return self._begun(now) is not None

    def seconds_until_open(self, now: datetime) -> float | None:
        """How long it is until it begins; None while it is open, since then nothing has to be waited for."""
        if self.is_open(now):
            return None
        today = self._start_of(now.astimezone(UTC))
        coming = (today + timedelta(days=days) for days in range(8))
        return min((start - now).total_seconds() for start in coming if start > now and self._is_on(start))

    def _begun(self, now: datetime) -> datetime | None:
        today = self._start_of(now.astimezone(UTC))
        starts = (today, today - timedelta(days=1))
        return next((s for s in starts if self._is_on(s) and s <= now < s + timedelta(hours=self.hours)), None)

    def _start_of(self, day: datetime) -> datetime:
        hour, minute = self.start.split(":")
        return day.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)

    def _is_on(self, start: datetime) -> bool:
        return not self.days or _DAYS[start.weekday()] in self.days


class Upgrade(Model):
    """How the stores take what a new release of the operator brings. An image in the spec never waits for this."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "(has(self.stores) && self.stores == 'Window') == has(self.window)",
                "stores: Window and the field window belong together: give both or neither",
            )
        )
    )
    stores: Literal["Manual", "Window", "Automatic"] = "Manual"
    """`Manual`: changes of store images wait for agreedTo. `Window`: also for the window. `Automatic`: they wait for
    nothing. Always one store after another, and only in steps that its data survives."""
    agreed_to: Release | None = None
    """The release whose store images may be taken, as status.pendingChanges names it; it says nothing of later ones."""
    window: Window | None = None
    """When they may be taken without being agreed to."""

    def is_agreed(self, release: str, now: datetime | None) -> bool:
        """Whether the stores may take what `release` brings; without a `now` no window is open."""
        if self.stores == "Automatic" or self.agreed_to == release:
            return True
        return self.window is not None and now is not None and self.window.is_open(now)
