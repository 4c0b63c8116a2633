"""Which changes of a store's version its data survives: what the four projects promise, as a table and few rules.

- Postgres: releases of one major version read each other's data, those of another major version do not.
  https://www.postgresql.org/docs/current/upgrading.html
- Qdrant: storage is compatible with the next minor version only, so none may be skipped.
  https://qdrant.tech/documentation/upgrades/
- Kafka: 4.x takes over from 3.3 or newer. Its metadata is never written back in an older format.
  https://kafka.apache.org/documentation/#upgrade
- Redis: reads what every older release wrote; what a newer one wrote is refused at the start.
"""

import re
from typing import NamedTuple, TypeAlias

from somamemory_operator.decide.images import split
from somamemory_operator.model.names import Component
from somamemory_operator.model.reasons import Reason

Version: TypeAlias = tuple[int, ...]
"""As much of major, minor and patch as a tag names: `redis:7` is (7,)."""

_KEPT = {Component.POSTGRES: 1, Component.REDIS: 2, Component.KAFKA: 2, Component.QDRANT: 3}
"""How many numbers of its version a store may not go back in: the format of its data changes with these."""
_OLDEST_FOR_KAFKA_4 = (3, 3)


class Obstacle(NamedTuple):
    """Why data does not survive a step, with the way that there is instead."""

    reason: Reason
    message: str


def version_of(image: str) -> Version | None:
    """`docker.io/qdrant/qdrant:v1.16.3-unprivileged` is (1, 16, 3); None for a digest, `latest`, or a hash."""
    _, suffix = split(image)
    match = re.fullmatch(r":v?(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?(?:[-+_.].*)?", suffix)
    return tuple(int(number) for number in match.groups() if number is not None) if match else None


def obstacle(store: Component, before: str, after: str) -> Obstacle | None:
    """What is in the way from one image to another; None also when the versions cannot be told from the tags."""
    then, now = version_of(before), version_of(after)
    if then is None or now is None:
        return None
    if _is_older(now, then, _KEPT[store]):
        text = f"the data was written by {_named(store, then)} and does not fit the older {_text(now)}"
        return Obstacle(Reason.DOWNGRADE, f"{text}: set {_field(store)} to {_text(then)} or newer.")
    detour = _DETOURS[store](then, now)
    return None if detour is None else Obstacle(Reason.UNSUPPORTED_UPGRADE, detour)


def _postgres(then: Version, now: Version) -> str | None:
    if now[0] == then[0]:
        return None
    return (
        f"Postgres {now[0]} cannot open the data of Postgres {then[0]}: keep {_field(Component.POSTGRES)} at "
        f"{then[0]}, or carry the memories over by a dump, as docs/operations.md shows under Upgrades."
    )


def _qdrant(then: Version, now: Version) -> str | None:
    if now[0] != then[0]:
        return (
            f"no way is known from Qdrant {_text(then)} to {_text(now)}: keep {_field(Component.QDRANT)} at "
            f"{_text(then)}."
        )
    if len(then) < 2 or len(now) < 2 or now[1] - then[1] <= 1:
        return None
    return (
        f"Qdrant's data survives one minor version at a time, not from {_text(then)} to {_text(now)}: set "
        f"{_field(Component.QDRANT)} to the newest release of {then[0]}.{then[1] + 1} first."
    )


def _kafka(then: Version, now: Version) -> str | None:
    if now[0] <= 3 or len(then) < 2 or then >= _OLDEST_FOR_KAFKA_4:
        return None
    return (
        f"Kafka {_text(now)} takes over from 3.3 or newer, not from {_text(then)}: set {_field(Component.KAFKA)} to "
        "the newest release of 3.9 first."
    )


def _redis(_then: Version, _now: Version) -> str | None:
    return None


_DETOURS = {
    Component.POSTGRES: _postgres,
    Component.REDIS: _redis,
    Component.QDRANT: _qdrant,
    Component.KAFKA: _kafka,
}


def _is_older(now: Version, then: Version, kept: int) -> bool:
    """Compared as far as both tags say."""
    known = min(len(now), len(then), kept)
    return now[:known] < then[:known]


def _text(version: Version) -> str:
    return ".".join(str(number) for number in version)


def _named(store: Component, version: Version) -> str:
    return f"{store.value.capitalize()} {_text(version)}"


def _field(store: Component) -> str:
    return f"spec.{store.value}.image.tag"
