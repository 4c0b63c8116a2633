"""Importance between 0 and 1, measured against what a namespace's callers lately called important. Pure.

The last 512 importances of a namespace are its window; what is older is forgotten, extremes among it. A scale is made
of the window and applied when a memory is shown, so all memories that are shown together are measured alike.

Which scale fits depends on the shape of the window (its quantiles q10, q50, q90, q99 and its ends):
`minmax` is a straight line between the ends; `winsor` cuts a long tail off first; `logistic` bends where outliers would
leave nothing of the rest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from somafractalmemory.errors import InvalidRequest

KEPT = 512
FEW = 64
EVERY = 64
LARGEST = 1e9
_TINY = 1e-12
_STEEPEST = 25.0

Method = Literal["even", "minmax", "winsor", "logistic", "split"]


@dataclass(frozen=True, slots=True)
class Scale:
    """How a raw importance becomes one between 0 and 1: never falling, and one half in the middle of nothing.

    `minmax` and `winsor` lead from `low` to `high`. `logistic` is steep around `middle`; `split`, where most of the
    window is one value, has it in the middle and a straight line on each side. `even` says one half to everything.
    """

    method: Method = "even"
    low: float = 0.0
    high: float = 0.0
    middle: float = 0.0
    steepness: float = 0.0

    def norm(self, importance: float) -> float:
        """0 to 1. Raises InvalidRequest, as `checked` does."""
        value = checked(importance)
        if self.method == "even":
            return 0.5
        if self.method == "logistic":
            return 1.0 / (1.0 + math.exp(max(-700.0, min(700.0, -self.steepness * (value - self.middle)))))
        if self.method == "split":
            return self._split(value)
        return (max(self.low, min(self.high, value)) - self.low) / (self.high - self.low)

    def _split(self, value: float) -> float:
        reach = self.high - self.middle if value > self.middle else self.middle - self.low
        distance = max(-1.0, min(1.0, (value - self.middle) / reach)) if reach > _TINY else 0.0
        return 0.5 + 0.5 * distance


@dataclass(frozen=True, slots=True)
class Heard:
    """Importances that came one after the other: how many, and the last of them."""

    values: tuple[float, ...] = ()
    count: int = 0

    @classmethod
    def of(cls, *values: float) -> "Heard":
        """These, and no others."""
        return cls(values[-KEPT:], len(values))


@dataclass(frozen=True, slots=True)
class Window:
    """The last importances, how many there ever were, and those that the scale in use was made of.

    A new scale is made after each 64 importances, and after each one while there are few. What counts is how many came,
    not how many are kept, so that a full window goes on learning.
    """

    recent: tuple[float, ...] = ()
    inserted: int = 0
    basis: tuple[float, ...] = ()
    based_at: int = 0

    def add(self, heard: "Heard") -> "Window":
        """The window after these. Raises InvalidRequest, as `checked` does."""
        if not heard.values:
            return self
        values = tuple(checked(value) for value in heard.values)
        recent, inserted = (*self.recent, *values)[-KEPT:], self.inserted + heard.count
        if len(self.basis) < FEW or inserted - self.based_at >= EVERY:
            return Window(recent, inserted, recent, inserted)
        return Window(recent, inserted, self.basis, self.based_at)


def checked(value: float) -> float:
    """The number itself. Raises InvalidRequest for NaN, infinities and what is beyond any use."""
    if not abs(value) <= LARGEST:
        raise InvalidRequest("importance is a number between -1e9 and 1e9", loc=("importance",))
    return value


def scale_of(basis: Sequence[float]) -> Scale:
    """The scale that fits these importances; without a difference among them, everything is one half."""
    values = sorted(basis)
    if not values or values[-1] - values[0] < _TINY:
        return Scale()
    low, high = values[0], values[-1]
    if len(values) < FEW:
        return Scale("minmax", low, high)
    q10, q50, q90, q99 = (_quantile(values, share) for share in (0.1, 0.5, 0.9, 0.99))
    inner = max(q90 - q50, _TINY)
    reach, tail, slant = (high - q90) / inner, (q99 - q90) / inner, (q90 - q50) / max(q50 - q10, _TINY)
    if reach <= 5 and slant <= 3:
        return Scale("minmax", low, high)
    spread = q90 - q10
    if reach <= 15 and tail <= 8:
        return Scale("winsor", max(low, q10 - 0.25 * spread), min(high, q90 + 0.25 * spread))
    if spread < _TINY:
        return Scale("split", low, high, middle=q50)
    return Scale("logistic", low, high, middle=q50, steepness=min(_STEEPEST, math.log(9) / spread))


def _quantile(values: Sequence[float], share: float) -> float:
    """Linear between the neighbours of its rank; `values` are sorted."""
    rank = share * (len(values) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (rank - below)
