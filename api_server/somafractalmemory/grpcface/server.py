"""The asynchronous server: ports, TLS, health, reflection, and how it goes away without breaking a call."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import SERVICE_NAME as HEALTH_NAME
from grpc_health.v1.health import aio as health_aio
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from somafractalmemory.grpcface.gate import NAME
from somafractalmemory.grpcface.listening import address_of, credentials_of, in_use, options_of
from somafractalmemory.grpcface.servicer import MemoryServicer
from somafractalmemory.memory_pb2_grpc import add_MemoryServiceServicer_to_server
from somafractalmemory.runtime import Runtime
from somafractalmemory.settings import Settings
from somafractalmemory.usecases.health import Health

log = structlog.get_logger(__name__)

MAX_CALLS = 1000
"""Calls under way at once; a further one is refused with RESOURCE_EXHAUSTED."""
REFUSING_SECONDS = 0.5
"""How long new calls are refused before the server stops: those that it has not taken when it stops, gRPC's library
ends as CANCELLED (grpc/grpc#41785), by which a client cannot know that another server would answer."""
_LOOK_SECONDS = 5.0
_STATUS = health_pb2.HealthCheckResponse
Opener = Callable[[Settings], AbstractAsyncContextManager[Any]]


class LiveHealth(health_aio.HealthServicer):
    """The standard health service, asked of the stores themselves.

    "" and the memory service serve while every required store answers; each store has a name of its own beside them.
    """

    def __init__(self, health: Health) -> None:
        super().__init__()
        self._health = health

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Never older than a second."""
        await self.look()
        return await super().Check(request, context)

    async def look(self) -> None:
        """Tell those who watch, too."""
        components = await self._health.check()
        states = {"": self._health.ready, NAME: self._health.ready} | {
            name: part.ok for name, part in components.items()
        }
        for name, serving in states.items():
            await self.set(name, _STATUS.SERVING if serving else _STATUS.NOT_SERVING)

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)


class GrpcFace:
    """One server over a runtime that somebody else opened and will close."""

    def __init__(self, runtime: Runtime, going: asyncio.Event) -> None:
        self._settings = runtime.settings
        self._health = LiveHealth(runtime.health)
        self._server = grpc.aio.server(options=options_of(self._settings), maximum_concurrent_rpcs=MAX_CALLS)
        add_MemoryServiceServicer_to_server(MemoryServicer(runtime, going), self._server)
        add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((NAME, HEALTH_NAME, reflection.SERVICE_NAME), self._server)

    async def start(self, port: int) -> int:
        """Listen; 0 is any free port. Answers the port. Raises ConfigurationError."""
        address = address_of(self._settings.grpc_host, port)
        credentials = credentials_of(self._settings)
        try:
            if credentials is None:
                bound = self._server.add_insecure_port(address)
            else:
                bound = self._server.add_secure_port(address, credentials)
        except RuntimeError:
            raise in_use(address) from None
        await self._health.look()
        await self._server.start()
        log.info("grpc_listening", address=address_of(self._settings.grpc_host, bound), tls=credentials is not None)
        if self._settings.grpc_trust_loopback:
            log.warning("grpc_needs_no_token", hint="SOMA_GRPC_TRUST_LOOPBACK is for trying out only")
        return bound

    async def watch(self) -> None:
        """Keep the standard health service true."""
        await self._health.watch()

    async def stop(self) -> None:
        """Take no new calls, give those under way their time, then end them."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(self._settings.uvicorn_graceful_seconds)


@asynccontextmanager
async def serving_grpc(
    runtime: Runtime, *, leaving: asyncio.Event | None = None, port: int | None = None
) -> AsyncIterator[int]:
    """Serve beside the body, which gets the port; once `leaving` is set no new calls are taken.

    Raises ConfigurationError when it cannot listen.
    """
    leaving, ended = leaving or asyncio.Event(), asyncio.Event()
    face = GrpcFace(runtime, leaving)
    bound = await face.start(runtime.settings.grpc_port if port is None else port)
    watching = asyncio.create_task(face.watch())
    stopping = asyncio.create_task(_stop_when(leaving, ended, face))
    try:
        yield bound
    finally:
        watching.cancel()
        ended.set()
        await stopping  # never cancelled: a stop that is broken off breaks off the calls under way


async def _stop_when(leaving: asyncio.Event, ended: asyncio.Event, face: GrpcFace) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in (leaving, ended)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for wait in waiting:
        wait.cancel()
    if leaving.is_set():
        await asyncio.sleep(REFUSING_SECONDS)
    await face.stop()


def with_grpc(open_runtime: Opener, leaving: asyncio.Event) -> Opener:
    """Opens the runtime and serves gRPC on it."""

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncIterator[Any]:
        async with open_runtime(settings) as runtime, serving_grpc(runtime, leaving=leaving):
            yield runtime

    return opened
