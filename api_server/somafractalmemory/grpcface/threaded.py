"""The synchronous server: threads take the calls, the event loop answers them, the service is the same."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import SERVICE_NAME as HEALTH_NAME
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.grpcface.bridging import Bridge
from somafractalmemory.grpcface.gate import NAME
from somafractalmemory.grpcface.listening import address_of, credentials_of, in_use, options_of
from somafractalmemory.grpcface.server import REFUSING_SECONDS
from somafractalmemory.grpcface.servicer import MemoryServicer
from somafractalmemory.runtime import Runtime

log = structlog.get_logger(__name__)

THREADS = 32
MAX_CALLS = 256
"""Calls under way or waiting for a thread; a further one is refused with RESOURCE_EXHAUSTED."""
_LOOK_SECONDS = 5.0
_STATUS = health_pb2.HealthCheckResponse


@asynccontextmanager
async def serving_threads(
    runtime: Runtime, *, leaving: asyncio.Event | None = None, port: int | None = None
) -> AsyncIterator[int]:
    """Serve beside the body, which gets the port; at its end, or once `leaving` is set, no new calls are taken.

    Raises ConfigurationError when it cannot listen.
    """
    settings = runtime.settings
    # A stream of requests holds two threads: the one of its call, and one that waits for its next request.
    calls, reading = ThreadPoolExecutor(THREADS, "grpc"), ThreadPoolExecutor(THREADS, "grpc-stream")
    server = grpc.server(calls, options=options_of(settings), maximum_concurrent_rpcs=MAX_CALLS)
    bridge = Bridge(asyncio.get_running_loop(), reading)
    server.add_generic_rpc_handlers((_handlers(MemoryServicer(runtime, leaving), bridge),))
    health: Any = HealthServicer(experimental_non_blocking=True)
    add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection((NAME, HEALTH_NAME, reflection.SERVICE_NAME), server)
    bound = _listen(runtime, server, settings.grpc_port if port is None else port)
    await _look(runtime, health)
    server.start()
    log.info("grpc_listening", address=address_of(settings.grpc_host, bound), threads=True)
    watching = asyncio.create_task(_watch(runtime, health))
    try:
        yield bound
    finally:
        watching.cancel()
        health.enter_graceful_shutdown()
        if leaving is not None and leaving.is_set():
            await asyncio.sleep(REFUSING_SECONDS)
        stopped = server.stop(settings.uvicorn_graceful_seconds)
        await asyncio.to_thread(stopped.wait)
        for pool in (calls, reading):
            pool.shutdown(wait=False, cancel_futures=True)


def _handlers(servicer: MemoryServicer, bridge: Bridge) -> grpc.GenericRpcHandler:
    methods = pb.DESCRIPTOR.services_by_name["MemoryService"].methods
    made = {method.name: bridge.handler(method, getattr(servicer, method.name)) for method in methods}
    return grpc.method_handlers_generic_handler(NAME, made)


def _listen(runtime: Runtime, server: grpc.Server, port: int) -> int:
    address, credentials = address_of(runtime.settings.grpc_host, port), credentials_of(runtime.settings)
    try:
        if credentials is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, credentials)
    except RuntimeError:
        raise in_use(address) from None


async def _watch(runtime: Runtime, health: Any) -> None:
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        await _look(runtime, health)


async def _look(runtime: Runtime, health: Any) -> None:
    components = await runtime.health.check()
    ready = runtime.health.ready
    for name, serving in ({"": ready, NAME: ready} | {name: part.ok for name, part in components.items()}).items():
        health.set(name, _STATUS.SERVING if serving else _STATUS.NOT_SERVING)
