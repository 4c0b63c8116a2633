"""What clients send by accident or with intent, while stores are there and while they are away."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from somafractalmemory.httpface.app import create_app
from somafractalmemory.settings import load_settings
from somafractalmemory.wiring import open_embedded
from tests.unit.api_server.conftest import World


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


REFUSED = [{"deep": nested(300)}, {"deep": nested(900)}, {"n": "a\x00b"}, {"a\x00b": 1}, {"k" * 300: 1}]
EMPTY = [{"n": 2**63}, {"n": 1e308}, {"": ""}, {"n": []}, {"n": {}}, {"n": True}]


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("filters", [*REFUSED, *EMPTY], ids=lambda filters: str(filters)[:20])
async def test_any_filter_is_answered_alike_with_and_without_the_index(
    client: httpx.AsyncClient, world: World, filters: dict[str, Any], away: bool
) -> None:
    await client.post("/store", json={"coord": "1", "payload": {"fact": "owls", "n": 5}})
    world.vectors.away = away

    answer = await client.post("/recall", json={"query": "owls", "filters": filters})

    assert answer.status_code == (422 if filters in REFUSED else 200)
    assert answer.json().get("matches", []) == []


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "/store", "POST"), ("PUT", "/recall", "GET, POST"), ("POST", "/memories/1", "DELETE, GET, PATCH")],
)
async def test_a_wrong_method_is_told_every_right_one(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("coord", ["a", "nan", "1,,2", "inf", "1e999", ",".join("1" * 65)])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_place_that_is_none_is_refused(client: httpx.AsyncClient, method: str, coord: str) -> None:
    answer = await client.request(method, f"/memories/{coord}")

    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_a_client_that_stops_in_the_middle_of_its_body_leaves_nothing(world: World) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b'{"coord": "1", "payl'

    async with world.client() as client:
        answer = await client.post("/store", content=half())

        assert answer.status_code == 422
        assert (await client.get("/stats")).json()["total_memories"] == 0


async def test_many_writers_of_one_place_each_get_their_version(client: httpx.AsyncClient) -> None:
    body = {"coord": "1", "payload": {"fact": "x"}}

    answers = await asyncio.gather(*(client.post("/store", json=body) for _ in range(30)))

    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, 31))


async def test_the_embedded_service_needs_nothing_but_a_token() -> None:
    app = create_app(load_settings({"SOMA_API_TOKEN": "t"}, for_command="serve --embedded"), open_embedded)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://soma", headers={"authorization": "Bearer t"}) as client,
    ):
        stored = await client.post("/store", json={"coord": "1,2", "payload": {"fact": "cats purr"}})
        recalled = await client.post("/recall", json={"query": "what do cats do"})

    assert stored.json() == {"ok": True, "indexed": True, "version": 1}
    assert recalled.json()["matches"][0]["fact"] == "cats purr"
    assert recalled.headers["ratelimit-limit"] == "60"
