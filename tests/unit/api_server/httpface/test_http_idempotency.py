"""Repeated requests that carry a key."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.unit.api_server.conftest import World

KEY = {"idempotency-key": "5f0c2c3e"}
MEMORY = {"coord": "1", "payload": {"n": 1}}


async def version(client: httpx.AsyncClient) -> int:
    return int((await client.get("/memories/1")).json()["version"])


async def test_a_repeated_store_is_done_once_and_answered_twice(client: httpx.AsyncClient) -> None:
    first = await client.post("/store", json=MEMORY, headers=KEY)
    second = await client.post("/store", json=MEMORY, headers=KEY)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert second.headers["etag"] == first.headers["etag"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert await version(client) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/store_bulk", {"items": [MEMORY]}),
        ("PATCH", "/memories/1", {"payload": {"n": 2}}),
        ("PUT", "/memories/1/importance", {"importance": 2}),
        ("DELETE", "/memories/1", None),
        ("POST", "/delete_many", {"coords": ["1"]}),
        ("POST", "/link", {"from_coord": "1", "to_coord": "2"}),
        ("DELETE", "/link?from_coord=2&to_coord=1", None),
        ("POST", "/import", {"coordinate": [1], "fact": "x"}),
    ],
)
async def test_every_write_can_be_repeated(
    client: httpx.AsyncClient, world: World, method: str, path: str, body: dict[str, Any] | None
) -> None:
    for coord in ("1", "2"):
        await client.post("/store", json={"coord": coord, "payload": {"n": 1}})
    await client.post("/link", json={"from_coord": "2", "to_coord": "1"})

    first = await client.request(method, path, json=body, headers=KEY)
    events = len(world.records._outbox)
    second = await client.request(method, path, json=body, headers=KEY)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.headers["idempotency-replayed"] == "true"
    assert second.json() == first.json()
    assert len(world.records._outbox) == events


async def test_a_key_belongs_to_its_request(client: httpx.AsyncClient) -> None:
    await client.post("/store", json=MEMORY, headers=KEY)

    other_body = await client.post("/store", json={**MEMORY, "payload": {"n": 2}}, headers=KEY)
    condition = await client.post("/store", json=MEMORY, headers={**KEY, "if-match": '"1"'})

    assert (other_body.status_code, condition.status_code) == (422, 422)
    assert "another request" in other_body.json()["detail"]
    assert await version(client) == 1


async def test_calling_a_body_lines_does_not_keep_it_from_being_compared(client: httpx.AsyncClient) -> None:
    headers = {**KEY, "content-type": "application/x-ndjson"}
    await client.post("/store", json=MEMORY, headers=headers)

    other = await client.post("/store", json={**MEMORY, "payload": {"n": 2}}, headers=headers)

    assert other.status_code == 422


async def test_a_key_means_something_else_elsewhere(client: httpx.AsyncClient) -> None:
    await client.post("/store", json=MEMORY, headers=KEY)
    for headers in ({"x-soma-namespace": "other"}, {"authorization": "Bearer another-token"}):
        answer = await client.post("/store", json=MEMORY, headers={**KEY, **headers})

        assert answer.status_code == 200
        assert "idempotency-replayed" not in answer.headers
    assert (await client.post("/delete_many", json={"coords": ["1"]}, headers=KEY)).json()["deleted"] == 1


async def test_while_the_first_one_is_under_way_the_second_is_told_to_wait(client: httpx.AsyncClient) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def lines() -> AsyncIterator[bytes]:
        started.set()
        await release.wait()
        yield b'{"coord": "1", "payload": {}}\n'

    headers = {**KEY, "content-type": "application/x-ndjson"}
    first = asyncio.create_task(client.post("/store_bulk", content=lines(), headers=headers))
    await started.wait()
    second = await client.post("/store_bulk", content=b"", headers=headers)
    release.set()

    assert second.status_code == 409
    assert int(second.headers["retry-after"]) >= 1
    assert (await first).json()["stored"] == 1
    assert (await client.post("/store_bulk", content=b"", headers=headers)).json()["stored"] == 1


async def test_a_refused_request_gives_its_key_back(client: httpx.AsyncClient, world: World) -> None:
    refused = await client.patch("/memories/1", json={"payload": {"n": 2}}, headers=KEY)
    await client.post("/store", json=MEMORY)
    again = await client.patch("/memories/1", json={"payload": {"n": 2}}, headers=KEY)

    assert (refused.status_code, again.status_code) == (404, 200)
    assert "idempotency-replayed" not in again.headers


async def test_a_process_that_died_in_between_does_not_block_the_repetition(
    client: httpx.AsyncClient, world: World
) -> None:
    """The reservation of a crashed process ends with its lease, and the write is idempotent by its place."""
    await client.post("/store", json=MEMORY, headers=KEY)
    (row,) = world.records.request_keys._rows.values()
    row.answer, row.until = None, 0.0

    again = await client.post("/store", json=MEMORY, headers=KEY)

    assert again.json() == {"ok": True, "indexed": True, "version": 2}
    assert (await client.get("/memories/1")).json()["payload"] == {"n": 1}


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "caf\u00e9"])
async def test_a_key_that_is_none_is_refused(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.post("/store", json=MEMORY, headers=[(b"idempotency-key", key.encode())])

    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]


async def test_questions_need_no_key_and_ignore_it(client: httpx.AsyncClient) -> None:
    for query in ("x", "y"):
        answer = await client.post("/recall", json={"query": query}, headers=KEY)

        assert answer.status_code == 200
        assert "idempotency-replayed" not in answer.headers


async def test_without_the_truth_a_key_is_not_reserved_and_nothing_is_done(
    client: httpx.AsyncClient, world: World
) -> None:
    world.records.away = True
    assert (await client.post("/store", json=MEMORY, headers=KEY)).status_code == 503

    world.records.away = False
    assert (await client.post("/store", json=MEMORY, headers=KEY)).json()["version"] == 1
