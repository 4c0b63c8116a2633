"""What every store has."""

from typing import Protocol


class Pinged(Protocol):
    """Something whose health can be asked."""

    async def ping(self) -> None:
        """Return when it answers and is fit for use; raise `Unavailable` when not."""
