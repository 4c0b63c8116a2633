"""The synchronous server answers as the asynchronous one."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.errors import ConfigurationError
from somafractalmemory.grpcface.gate import NAME
from somafractalmemory.grpcface.server import serving_grpc
from somafractalmemory.grpcface.threaded import serving_threads
from somafractalmemory.settings import Settings
from tests.unit.api_server.conftest import World
from tests.unit.api_server.grpcworld import BEARER, Client, at, refused, trailing

Code = grpc.StatusCode


def settings(**variables: str) -> Settings:
    """On the loopback interface, without limits."""
    return Settings.model_validate({"SOMA_RATE_LIMIT_MAX": "0", "SOMA_GRPC_HOST": "127.0.0.1", **variables})


@pytest.fixture(params=[serving_threads, serving_grpc])
async def client(world: World, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of either server."""
    async with (
        world.runtime(settings()) as runtime,
        request.param(runtime, port=0) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield Client(channel, port)


async def test_a_memory_is_stored_recalled_and_deleted(client: Client) -> None:
    """(S-84)"""
    health = await client.stub.Health(empty_pb2.Empty())
    stored = await client.store(0.1, 0.2, 0.3, payload='{"ok": true}', memory_type="memories")
    found = await client.call("Recall", pb.RetrieveRequest(query=at(0.1, 0.2, 0.3), top_k=3))
    deleted = await client.call("Delete", pb.DeleteRequest(coord=at(0.1, 0.2, 0.3)))
    error = await refused(client.get(0.1, 0.2, 0.3))

    assert (health.status, stored.ok, deleted.ok) == ("ok", True, True)
    assert [json.loads(memory.payload_json) for memory in found.memories] == [{"ok": True}]
    assert error.code() is Code.NOT_FOUND


async def test_streams_go_both_ways(client: Client) -> None:
    async def items() -> AsyncIterator[pb.StoreRequest]:
        for number in range(700):
            yield pb.StoreRequest(memory=pb.Memory(coord=at(float(number)), payload_json=f'{{"n": {number}}}'))

    summary = await client.call("StoreStream", items())
    asked = pb.RecallBatchRequest(requests=[pb.RetrieveRequest(query=at(float(n)), top_k=1) for n in range(40)])
    answers = [answer async for answer in client.stub.RecallBatch(asked, metadata=BEARER, timeout=20)]

    assert (summary.stored, summary.failed) == (700, 0)
    assert [answer.memories[0].coord.values[0] for answer in answers] == list(range(40))


async def test_refusals_have_the_same_statuses(world: World, client: Client) -> None:
    """(gRPC defect 8)"""
    missing = await refused(client.store(1.0, metadata=()))
    wrong = await refused(client.store(1.0, payload="{"))
    late = client.stub.RecallBatch(
        pb.RecallBatchRequest(requests=[pb.RetrieveRequest(query=at(1.0)), pb.RetrieveRequest()]), metadata=BEARER
    )
    first = await late.read()
    broken = await refused(late.read())
    world.records.away = True
    away = await refused(client.store(1.0))

    assert (missing.code(), wrong.code()) == (Code.UNAUTHENTICATED, Code.INVALID_ARGUMENT)
    assert "payload_json" in str(wrong.details())
    assert isinstance(first, pb.RecallResult)
    assert (broken.code(), away.code()) == (Code.INVALID_ARGUMENT, Code.UNAVAILABLE)
    assert int(trailing(away)["retry-after"]) >= 1


async def test_health_is_known_by_name(world: World, client: Client) -> None:
    """(gRPC defect 10)"""
    stub: Any = health_pb2_grpc.HealthStub(client.channel)
    states = [(await stub.Check(health_pb2.HealthCheckRequest(service=name))).status for name in ("", NAME, "qdrant")]

    assert states == [health_pb2.HealthCheckResponse.SERVING] * 3


async def test_a_caller_that_hangs_up_ends_its_call(client: Client) -> None:
    call = client.stub.StoreStream(_endless(), metadata=BEARER)
    await call.wait_for_connection()
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await client.store(1.0)).ok


def _endless() -> Iterator[pb.StoreRequest]:
    number = 0.0
    while True:
        number += 1
        yield pb.StoreRequest(memory=pb.Memory(coord=at(number), payload_json="{}"))


async def test_the_threads_share_no_port_with_another_server(world: World, client: Client) -> None:
    taken = settings(SOMA_GRPC_PORT=str(client.port))
    async with world.runtime(taken) as runtime:
        with pytest.raises(ConfigurationError, match="SOMA_GRPC_PORT"):
            async with serving_threads(runtime):
                pass
