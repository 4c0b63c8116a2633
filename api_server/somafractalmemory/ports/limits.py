"""How many requests there were."""

from typing import Protocol

from somafractalmemory.model import Budget
from somafractalmemory.ports.pinged import Pinged


class Limiter(Pinged, Protocol):
    """Counts requests."""

    async def hit(self, key: str) -> Budget:
        """Count one request of `key`, unless it is refused."""
