"""The gRPC face over the stores of a `World`, and a client of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from somafractalmemory import memory_pb2 as pb
from somafractalmemory import memory_pb2_grpc
from somafractalmemory.grpcface.server import serving_grpc
from somafractalmemory.settings import Settings
from tests.unit.api_server.conftest import TOKEN, World

BEARER = (("authorization", f"Bearer {TOKEN}"),)


class Client:
    """Calls by name, with the right token unless told otherwise."""

    def __init__(self, channel: grpc.aio.Channel, port: int) -> None:
        self.channel = channel
        self.port = port
        self.stub: Any = memory_pb2_grpc.MemoryServiceStub(channel)

    async def call(self, name: str, request: Any, **more: Any) -> Any:
        """One answer."""
        return await getattr(self.stub, name)(request, **({"metadata": BEARER, "timeout": 20} | more))

    async def store(self, *numbers: float, payload: str = "{}", memory_type: str = "", **more: Any) -> Any:
        """Store."""
        memory = pb.Memory(coord=at(*numbers), payload_json=payload, memory_type=memory_type)
        return await self.call("Store", pb.StoreRequest(memory=memory), **more)

    async def get(self, *numbers: float, **more: Any) -> Any:
        """Get."""
        return await self.call("Get", pb.GetRequest(coord=at(*numbers)), **more)


def at(*numbers: float) -> pb.Coordinate:
    """A place."""
    return pb.Coordinate(values=numbers)


@asynccontextmanager
async def grpc_client(world: World, **variables: str) -> AsyncIterator[Client]:
    """A server on a free port of the loopback interface, and a client."""
    settings = Settings.model_validate({"SOMA_RATE_LIMIT_MAX": "0", "SOMA_GRPC_HOST": "127.0.0.1", **variables})
    async with (
        world.runtime(settings) as runtime,
        serving_grpc(runtime, port=0) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield Client(channel, port)


async def refused(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """The error that a call must end with."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await asyncio.wait_for(call, 30)
    return raised.value


def trailing(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    """The trailing metadata."""
    return dict(error.trailing_metadata())
