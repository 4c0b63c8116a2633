"""Local stores can be taken away, as real ones go away."""

from somafractalmemory.errors import Unavailable


class Switchable:
    """A store that a test can take away."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.away = False

    def _check(self) -> None:
        if self.away:
            raise Unavailable(self._name, "switched off")

    async def ping(self) -> None:
        self._check()
