"""The index away, killed, emptied, behind a wrong key: what callers see, and that it heals without a restart."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest
from aiohttp import web

from somafractalmemory.adapters.qdrant import QdrantVectors, open_vectors
from somafractalmemory.errors import Rejected, Unavailable
from tests.contracts.vectors import DIMENSIONS, a_point, a_tombstone, found
from tests.services.qdrant import QdrantEdgeServer
from tests.services.server import free_port


@asynccontextmanager
async def an_index(
    server: QdrantEdgeServer, *, api_key: str | None = None, collection: str | None = None
) -> AsyncIterator[QdrantVectors]:
    async with open_vectors(
        url=server.url,
        api_key=api_key or server.api_key,
        collection=collection or f"recovery_{uuid4().hex}",
        dimensions=DIMENSIONS,
        timeout_seconds=10.0,  # a busy disk may take its time to make a collection
    ) as vectors:
        yield vectors


async def drop(server: QdrantEdgeServer, vectors: QdrantVectors) -> None:
    """What losing the volume looks like."""
    async with httpx.AsyncClient(headers={"api-key": server.api_key}, trust_env=False) as client:
        assert (await client.delete(f"{server.url}{vectors._path}")).status_code == 200


async def test_nobody_there_is_said_in_time_and_heals_by_itself() -> None:
    server = QdrantEdgeServer(free_port())
    try:
        async with an_index(server) as vectors:
            started = time.monotonic()
            for call in (vectors.ping, vectors.is_complete, lambda: found(vectors, "anything")):
                with pytest.raises(Unavailable, match="qdrant"):
                    await call()
            with pytest.raises(Unavailable):
                await vectors.upsert([await a_point("lost")])
            assert time.monotonic() - started < 9.0

            server.start()
            await vectors.upsert([await a_point("found again")])
            await vectors.mark_complete()

            assert len(await found(vectors, "found again")) == 1
    finally:
        server.remove()


async def test_acknowledged_writes_outlive_a_kill(qdrant_server: QdrantEdgeServer) -> None:
    async with an_index(qdrant_server) as vectors:
        points, grave = [await a_point(f"pearl {n}") for n in range(50)], await a_point("pearl of sand")
        await vectors.upsert([*points, a_tombstone(grave.id, 2)])
        await vectors.mark_complete()

        qdrant_server.kill9()
        with pytest.raises(Unavailable):
            await vectors.ping()
        qdrant_server.start()

        await vectors.upsert([grave])
        assert set(await found(vectors, "pearl", limit=100)) == {point.id for point in points}
        assert await vectors.is_complete()


async def test_connections_that_died_meanwhile_are_not_noticed(qdrant_server: QdrantEdgeServer) -> None:
    async with an_index(qdrant_server) as vectors:
        await asyncio.gather(*(vectors.ping() for _ in range(20)))

        qdrant_server.restart()

        await asyncio.gather(*(vectors.ping() for _ in range(20)))


async def test_a_lost_collection_is_made_again_and_is_incomplete(qdrant_server: QdrantEdgeServer) -> None:
    async with an_index(qdrant_server) as vectors:
        await vectors.upsert([await a_point("gone")])
        await vectors.mark_complete()
        await drop(qdrant_server, vectors)

        points = [await a_point(f"new {n}") for n in range(10)]
        await asyncio.gather(*(vectors.upsert([point]) for point in points))

        with pytest.raises(Unavailable, match="filled again"):
            await found(vectors, "new")
        assert not await vectors.is_complete()
        await vectors.mark_complete()
        assert len(await found(vectors, "new")) == 10


async def test_a_rebuild_does_not_mark_a_collection_that_took_the_place_of_its_own(
    qdrant_server: QdrantEdgeServer,
) -> None:
    async with an_index(qdrant_server) as vectors:
        assert not await vectors.is_complete()
        await drop(qdrant_server, vectors)
        await vectors.upsert([await a_point("the second half of the rebuild")])

        await vectors.mark_complete()

        assert not await vectors.is_complete()


async def test_two_processes_make_one_collection(qdrant_server: QdrantEdgeServer) -> None:
    name = f"recovery_{uuid4().hex}"
    async with (
        an_index(qdrant_server, collection=name) as api,
        an_index(qdrant_server, collection=name) as consumer,
    ):
        place = uuid4()
        writes = [await a_point(f"draft {n}", id=place, version=n) for n in range(1, 21)]
        await asyncio.gather(*((api, consumer)[n % 2].upsert([write]) for n, write in enumerate(reversed(writes))))
        await consumer.mark_complete()

        assert (await found(api, "draft"))[place].version == 20
        assert await api.is_complete()


async def test_a_wrong_key_is_named(qdrant_server: QdrantEdgeServer) -> None:
    async with an_index(qdrant_server, api_key="wrong") as vectors:
        with pytest.raises(Unavailable, match="QDRANT_API_KEY"):
            await vectors.ping()


async def test_points_that_fit_no_request_together_go_in_several(qdrant_server: QdrantEdgeServer) -> None:
    vectors = QdrantVectors(
        url=qdrant_server.url,
        api_key=qdrant_server.api_key,
        collection=f"recovery_{uuid4().hex}",
        dimensions=DIMENSIONS,
        timeout_seconds=10.0,
        max_request_bytes=5000,
    )
    try:
        points = [await a_point(f"grain {n}", version=n % 2 + 1) for n in range(60)]
        await vectors.upsert(points)
        await vectors.mark_complete()

        hits = await found(vectors, "grain", limit=100)
    finally:
        await vectors.close()

    assert {place: hit.version for place, hit in hits.items()} == {point.id: point.version for point in points}


Answer = Callable[[str, str, bytes], tuple[int, Mapping[str, object], Mapping[str, str]]]


@asynccontextmanager
async def over(answer: Answer) -> AsyncIterator[QdrantVectors]:
    """The adapter in front of a server that answers in this way."""

    async def handle(request: web.Request) -> web.Response:
        status, body, headers = answer(request.method, request.path, await request.read())
        return web.json_response(body, status=status, headers=headers)

    runner = web.ServerRunner(web.Server(handle))  # type: ignore[arg-type]
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    vectors = QdrantVectors(url=f"http://127.0.0.1:{port}", collection="c", dimensions=DIMENSIONS)
    try:
        yield vectors
    finally:
        await vectors.close()
        await runner.cleanup()


def answering(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
    """A server that has its collection and answers everything else in one way."""

    def answer(method: str, path: str, _: bytes) -> tuple[int, Mapping[str, object], Mapping[str, str]]:
        if path == "/":
            return 200, {"title": "a Qdrant", "version": "1.16.0"}, {}
        if method == "PUT" or path.endswith("/points/batch"):
            return 200, {"result": {"operation_id": 1, "status": "completed"}}, {}
        if path == "/collections/c":
            return 200, {"result": {}}, {}
        return status, body, headers or {}

    return answer


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500, 502, 503])
async def test_a_query_that_fails_in_any_way_is_unavailable(status: int) -> None:
    async with over(answering(status, {"status": {"error": "because"}})) as vectors:
        with pytest.raises(Unavailable):
            await found(vectors, "anything")


async def test_the_wait_that_the_server_asks_for_is_passed_on() -> None:
    async with over(answering(429, {"status": {"error": "slow down"}}, {"Retry-After": "7"})) as vectors:
        with pytest.raises(Unavailable, match="slow down") as caught:
            await found(vectors, "anything")
    assert caught.value.retry_after_seconds == 7


async def test_a_write_that_the_server_refuses_for_good_is_rejected() -> None:
    def answer(method: str, path: str, body: bytes) -> tuple[int, Mapping[str, object], Mapping[str, str]]:
        if path.endswith("/points/batch") and b"birth" not in body:
            return 422, {"status": {"error": "expected dim: 64"}}, {}
        return answering(200, {"result": {}})(method, path, body)

    async with over(answer) as vectors:
        with pytest.raises(Rejected, match="expected dim: 64"):
            await vectors.upsert([await a_point("too short")])


async def test_a_release_without_conditional_updates_is_refused() -> None:
    async with over(lambda *_: (200, {"version": "1.15.5"}, {})) as vectors:
        with pytest.raises(Unavailable, match=r"1\.15\.5 has no conditional updates; use 1\.16"):
            await vectors.upsert([await a_point("unsafe")])


async def test_an_address_of_something_else_is_named() -> None:
    async with over(answering(302, {}, {"Location": "http://127.0.0.1/elsewhere"})) as vectors:
        with pytest.raises(Unavailable, match="302"):
            await found(vectors, "anything")


async def test_a_server_that_is_no_qdrant_is_unavailable() -> None:
    """A wrong address often leads to some other web server."""

    async def not_found(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    port = free_port()
    async with (
        await asyncio.start_server(not_found, "127.0.0.1", port),
        open_vectors(url=f"http://127.0.0.1:{port}", api_key=None, collection="any", dimensions=16) as vectors,
    ):
        with pytest.raises(Unavailable, match="check QDRANT_URL"):
            await vectors.ping()
