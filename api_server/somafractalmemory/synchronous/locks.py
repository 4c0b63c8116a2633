"""A lock as programs hold it."""

from contextlib import AbstractAsyncContextManager

from somafractalmemory.errors import Overloaded, SomaError
from somafractalmemory.synchronous.thread import ServiceThread
from somafractalmemory.usecases.locking import Held

_MARGIN_SECONDS = 30.0


class Lock:
    """A lock of all processes on the same stores; it is prolonged as long as it is held here.

    Use it in a `with` statement, or call `acquire` and `release`. One that is forgotten lets go by itself.
    """

    def __init__(
        self, thread: ServiceThread, *, namespace: str, name: str, ttl_seconds: float, wait_seconds: float
    ) -> None:
        self.name = name
        self._thread = thread
        self._namespace = namespace
        self._ttl_seconds = ttl_seconds
        self._wait_seconds = wait_seconds
        self._holding: AbstractAsyncContextManager[Held | None] | None = None
        self._held: Held | None = None

    @property
    def fence(self) -> int | None:
        """A number larger than that of every earlier holder, for what is written under the lock; None while free."""
        return self._held.lease.fence if self._held else None

    @property
    def lost(self) -> bool:
        """Whether it was held and could not be prolonged in time, so that somebody else may hold it, too."""
        return self._held is not None and self._held.lost

    def locked(self) -> bool:
        """Whether it is held here."""
        return self._holding is not None and not self.lost

    def acquire(self, blocking: bool = True, wait_seconds: float | None = None) -> bool:
        """Wait for the lock; says whether it is held now. Raises Unavailable, InvalidRequest, SomaError if it is."""
        if self._holding is not None:
            raise SomaError(f"the lock {self.name!r} is held already: it cannot be taken twice")
        wait = (self._wait_seconds if wait_seconds is None else wait_seconds) if blocking else 0.0
        holding = self._thread.runtime.locking.hold(
            namespace=self._namespace, name=self.name, ttl_seconds=self._ttl_seconds, wait_seconds=wait
        )
        held = self._thread.call(_enter(holding), seconds=wait + _MARGIN_SECONDS)
        if held is None:
            self._thread.call(_leave(holding))
            return False
        self._holding, self._held = holding, held
        return True

    def release(self) -> None:
        """Let go, if it is held."""
        holding, self._holding = self._holding, None
        if holding is not None:
            self._thread.call(_leave(holding))

    def __enter__(self) -> "Lock":
        """Raises Overloaded when others hold it for too long."""
        if not self.acquire():
            raise Overloaded("lock", f"{self.name!r} was held by others for {self._wait_seconds:g} s")
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        if (holding := getattr(self, "_holding", None)) is not None:
            self._thread.start(_leave(holding))


async def _enter(holding: AbstractAsyncContextManager[Held | None]) -> Held | None:
    return await holding.__aenter__()


async def _leave(holding: AbstractAsyncContextManager[Held | None]) -> None:
    await holding.__aexit__(None, None, None)
