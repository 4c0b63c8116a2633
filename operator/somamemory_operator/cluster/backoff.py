"""How long to wait before the next try."""

import random
from collections.abc import Callable
from typing import NamedTuple


class Backoff(NamedTuple):
    """Growing pauses after failures, with jitter so that many failing resources do not come back together."""

    first: float = 1.0
    most: float = 60.0

    def delay(self, failures: int, chance: Callable[[], float] = random.random) -> float:
        """Return the pause after so many failures in a row: between half of and the whole exponential step."""
        step = min(self.most, self.first * 2 ** min(failures - 1, 30)) if failures > 0 else 0.0
        return step * (0.5 + chance() / 2)
