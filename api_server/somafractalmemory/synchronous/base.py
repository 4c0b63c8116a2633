"""What every part of the face stands on."""

from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any, TypeVar
from weakref import WeakSet

from somafractalmemory.errors import SomaError
from somafractalmemory.model import Coordinate, Memory, MemoryType
from somafractalmemory.service import MemoryService
from somafractalmemory.settings import Settings
from somafractalmemory.synchronous.hooks import Hooks
from somafractalmemory.synchronous.locks import Lock
from somafractalmemory.synchronous.thread import CALL_SECONDS, ServiceThread

Answer = TypeVar("Answer")
_PAGE = 500


class Face:
    """A memory system in this process: one namespace of a service that runs in a thread of its own."""

    def __init__(self, thread: ServiceThread) -> None:
        self._thread = thread
        self._hooks = Hooks()
        self._locks: WeakSet[Lock] = WeakSet()

    @property
    def settings(self) -> Settings:
        """What the service was opened with."""
        return self._thread.runtime.settings

    @property
    def namespace(self) -> str:
        """Where all memories of this system live."""
        return self.settings.namespace

    @property
    def _service(self) -> MemoryService:
        return self._thread.runtime.service

    def _ask(self, coroutine: Coroutine[Any, Any, Answer], *, seconds: float | None = CALL_SECONDS) -> Answer:
        return self._thread.call(coroutine, seconds=seconds)

    def _walk(self, memory_type: MemoryType | None) -> Iterator[Memory]:
        """All memories in the order of their places, a page at a time."""
        after: Coordinate | None = None
        while True:
            page = self._ask(
                self._service.page(namespace=self.namespace, memory_type=memory_type, after=after, limit=_PAGE)
            )
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].coordinate

    def close(self) -> None:
        """Let go of the stores. Every other method raises from now on; repeating it does nothing."""
        for lock in list(self._locks):
            with suppress(SomaError):
                lock.release()
        self._thread.close()

    def __enter__(self) -> "Face":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
