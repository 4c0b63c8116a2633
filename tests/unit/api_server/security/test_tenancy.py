"""What a task may see: set by the gate, inherited, and gone with the task."""

import asyncio

import pytest
from google.protobuf import empty_pb2

from somafractalmemory.adapters.local import LocalRecords
from somafractalmemory.model import Counts
from somafractalmemory.security import tenancy
from somafractalmemory.security.admission import Admission
from somafractalmemory.security.callers import Scope
from somafractalmemory.security.tokens import Tokens
from tests.unit.api_server.conftest import World
from tests.unit.api_server.grpcworld import BEARER, grpc_client


async def test_an_admitted_task_is_confined_and_its_neighbours_are_not() -> None:
    gate = Admission(tokens=Tokens(text="t"), limiter=None, default_namespace="home")

    async def request(namespace: str | None) -> tuple[str, ...] | None:
        await gate.admit(authorization="Bearer t", namespace=namespace, operation="any", needs=Scope.READ)
        await asyncio.sleep(0)
        started = asyncio.create_task(visible())
        return await started

    async def visible() -> tuple[str, ...] | None:
        return tenancy.visible()

    seen = await asyncio.gather(*(asyncio.create_task(request(name)) for name in ("a", None, "b")))

    assert seen == [("a",), ("home",), ("b",)]
    assert tenancy.visible() is None


def test_a_confinement_ends_where_it_says_also_after_an_error() -> None:
    def fail() -> None:
        with tenancy.everywhere():
            assert tenancy.visible() is None
            raise ZeroDivisionError

    with tenancy.confined("a"):
        with pytest.raises(ZeroDivisionError):
            fail()
        assert tenancy.visible() == ("a",)

    assert tenancy.visible() is None


class Watching(LocalRecords):
    """Notes what those who count may see."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, ...] | None] = []

    async def count(self, namespace: str) -> Counts:
        self.seen.append(tenancy.visible())
        return await super().count(namespace)


async def test_requests_of_every_face_are_confined_to_their_namespace() -> None:
    records = Watching()
    world = World(records=records)

    async with world.client() as client:
        await client.get("/stats", headers={"X-Soma-Namespace": "over-http"})
    async with grpc_client(world) as grpc:
        await grpc.stub.Stats(empty_pb2.Empty(), metadata=(*BEARER, ("x-soma-namespace", "over-grpc")))

    assert records.seen == [("over-http",), ("over-grpc",)]
