"""Kopf, and nothing else of Kopf anywhere: it listens for events about SomaMemories and only passes on whom they
concern. No handler of it changes anything, so it leaves no finalizer, annotation or status on the resource.

It runs in a thread with an event loop of its own: at its end it cancels every task of its loop, and in the main thread
it would take the signals.
"""

import asyncio
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import kopf

from somamemory_operator.model import names
from somamemory_operator.model.observed import MemoryKey
from somamemory_operator.process.program import Hear, Program
from somamemory_operator.settings import Settings
from somamemory_operator.telemetry.logs import configure_logging, logger

_TICK_SECONDS = 1.0


def run() -> None:
    """Run the operator until it is told to stop; exits with 0 then, with 1 when a part of it failed."""
    settings = Settings()
    configure_logging(settings.log_level, settings.log_format)
    code = asyncio.run(Program(settings, KopfThread).run())
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


def registry(hear: Hear) -> kopf.OperatorRegistry:
    """Return what Kopf is to do: log in as our own client does, and pass on every event."""
    own = kopf.OperatorRegistry()

    @kopf.on.login(registry=own)
    def login(**arguments: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**arguments) or kopf.login_with_kubeconfig(**arguments)

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=own)
    async def pass_on(type: str | None, meta: kopf.Meta, **_: Any) -> None:  # noqa: A002 - Kopf's name for it
        key = MemoryKey(str(meta["namespace"]), str(meta["name"]))
        hear(key, int(meta["resourceVersion"]), type == "DELETED")

    return own


def settings_of_kopf() -> kopf.OperatorSettings:
    """Return settings under which Kopf only reads, and notices when the server falls silent."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True  # else it asks for leave to watch all CRDs and namespaces
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.watching.connect_timeout = 10
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.process.ultimate_exiting_timeout = (
        None  # its last resort is SIGKILL; the program has a deadline of its own
    )
    return settings


class KopfThread:
    """Kopf in its own thread; `on_end` is called there when it ends, whatever the reason."""

    def __init__(self, namespaces: Sequence[str], hear: Hear, on_end: Callable[[], None]) -> None:
        self._namespaces, self._hear, self._on_end = tuple(namespaces), hear, on_end
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._beat = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)

    @property
    def ready(self) -> bool:
        """Whether Kopf has begun to listen."""
        return self._ready.is_set()

    def age(self) -> float:
        """Seconds since Kopf's event loop last did something."""
        return time.monotonic() - self._beat

    def start(self) -> None:
        """Start to listen."""
        logging.getLogger("kopf._core.reactor.running").addFilter(_is_news)
        self._thread.start()

    def stop(self) -> None:
        """Ask Kopf to end; it calls `on_end` when it has."""
        if self._loop is not None and self._stopping is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._listen())
        except Exception:
            logger(__name__).exception("Kopf failed")
        finally:
            self._on_end()

    async def _listen(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        ticking = asyncio.create_task(self._tick())  # before Kopf starts: what is younger than itself it cancels
        try:
            await kopf.operator(
                registry=registry(self._hear),
                settings=settings_of_kopf(),
                standalone=True,
                # Else it looks up the user's name, and the user of a pod has none.
                identity=socket.gethostname(),  # type: ignore[arg-type]
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                stop_flag=self._stopping,
                ready_flag=self._ready,
            )
        finally:
            ticking.cancel()

    async def _tick(self) -> None:
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(_TICK_SECONDS)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of Kopf's log says something: that it leaves the signals alone is on purpose."""
    return "OS signals are ignored" not in record.getMessage()
