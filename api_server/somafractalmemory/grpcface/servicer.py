# ruff: noqa: N802  # gRPC names its methods so
"""The whole service, for either kind of server."""

import asyncio

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.grpcface.links import LinkCalls
from somafractalmemory.grpcface.memories import MemoryCalls
from somafractalmemory.grpcface.recalls import RecallCalls
from somafractalmemory.grpcface.reflections import ReflectionCalls
from somafractalmemory.grpcface.transfers import TransferCalls
from somafractalmemory.memory_pb2_grpc import MemoryServiceServicer
from somafractalmemory.runtime import Runtime


class MemoryServicer(MemoryCalls, RecallCalls, LinkCalls, ReflectionCalls, TransferCalls, MemoryServiceServicer):
    """Every call of `memory.proto`."""

    def __init__(self, runtime: Runtime, going: asyncio.Event | None = None) -> None:
        """Once `going` is set, new calls are refused as unavailable."""
        self._runtime = runtime
        self._going = going or asyncio.Event()

    @property
    def runtime(self) -> Runtime:
        return self._runtime

    @property
    def going(self) -> asyncio.Event:
        return self._going

    async def Health(self, _request: object, _context: object) -> pb.HealthResponse:
        """How every store answered, at most a second ago; needs no token."""
        health = self.runtime.health
        components = {name: part.ok for name, part in (await health.check()).items()}
        status = "ok" if all(components.values()) else "degraded" if health.ready else "unavailable"
        return pb.HealthResponse(status=status, components=components)
