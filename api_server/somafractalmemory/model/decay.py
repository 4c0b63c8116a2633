"""What of a payload fades with age. Pure; the same rule shows memories and later changes them for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Level:
    """Top-level fields that a memory loses once it was last stored longer ago than this."""

    after_seconds: float
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Decay:
    """All levels, in any order; without one, nothing fades."""

    levels: tuple[Level, ...] = ()

    def remaining(self, payload: Mapping[str, Any], age_seconds: float) -> dict[str, Any]:
        """The payload without the fields that are due; the very same object when none is."""
        due = {key for level in self.levels if age_seconds > level.after_seconds for key in level.keys}
        if isinstance(payload, dict) and not due & payload.keys():
            return payload
        return {key: value for key, value in payload.items() if key not in due}
