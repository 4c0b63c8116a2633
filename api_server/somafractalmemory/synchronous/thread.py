"""A service on an event loop of its own, in a thread of its own."""

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from somafractalmemory.errors import SomaError, Unavailable
from somafractalmemory.settings import Settings
from somafractalmemory.wiring import ApiRuntime

Answer = TypeVar("Answer")
CALL_SECONDS = 60.0
_OPEN_SECONDS = 60.0
_CLOSE_SECONDS = 15.0


class ServiceThread:
    """Opens when it is made; closes when told, when it is forgotten, and when the program ends."""

    def __init__(
        self, settings: Settings, opener: Callable[[Settings], AbstractAsyncContextManager[ApiRuntime]]
    ) -> None:
        running = _Running()
        self._thread = threading.Thread(
            target=running.run, args=(settings, opener), name="somafractalmemory", daemon=True
        )
        self._thread.start()
        self._end = weakref.finalize(self, running.end, self._thread)
        self._running = running
        try:
            self.runtime = running.opened.result(_OPEN_SECONDS)
        except TimeoutError:
            self.close()
            raise Unavailable("service", f"it did not open within {_OPEN_SECONDS:g} s") from None

    def call(self, coroutine: Coroutine[Any, Any, Answer], *, seconds: float | None = CALL_SECONDS) -> Answer:
        """What the coroutine answers or raises. Raises Unavailable when it takes longer than `seconds`."""
        if not self._end.alive:
            coroutine.close()
            raise SomaError("this memory system is closed: make another one with create_memory_system")
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise SomaError("the synchronous face cannot be called from the service's own thread")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._running.loop)
        try:
            return future.result(seconds)
        except CancelledError:
            raise SomaError("this memory system was closed meanwhile") from None
        except TimeoutError:
            if future.done():  # its own
                raise
            future.cancel()
            raise Unavailable("service", f"no answer within {seconds:g} s") from None
        except BaseException:
            future.cancel()
            raise

    def start(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run it without waiting, if the service is still open."""
        if self._end.alive:
            asyncio.run_coroutine_threadsafe(coroutine, self._running.loop)
        else:
            coroutine.close()

    def close(self) -> None:
        """Let go of the stores. Repeating it does nothing."""
        self._end()


class _Running:
    """What the thread does; it must not know its `ServiceThread`, or that would never be forgotten."""

    def __init__(self) -> None:
        self.opened: Future[ApiRuntime] = Future()
        self.loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()

    def run(self, settings: Settings, opener: Callable[[Settings], AbstractAsyncContextManager[ApiRuntime]]) -> None:
        """Until `end` is called."""
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._serve(settings, opener))

    def end(self, thread: threading.Thread) -> None:
        """Wait until everything is closed."""
        if thread.is_alive() and not self.loop.is_closed():
            try:
                self.loop.call_soon_threadsafe(self._stopping.set)
            except RuntimeError:  # it ended this very moment
                return
            thread.join(_CLOSE_SECONDS)

    async def _serve(
        self, settings: Settings, opener: Callable[[Settings], AbstractAsyncContextManager[ApiRuntime]]
    ) -> None:
        try:
            async with opener(settings) as runtime:
                self.opened.set_result(runtime)
                await self._stopping.wait()
        except Exception as error:
            if self.opened.done():
                raise
            self.opened.set_exception(error)
