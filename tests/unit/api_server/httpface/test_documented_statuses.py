"""Every status that openapi.json tells of can happen, on every operation."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.api_server.conftest import World

DOCUMENT = json.loads((Path(__file__).parents[4] / "openapi.json").read_text())
CASES = [
    (method.upper(), path, status)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    for status in operation["responses"]
    if status != "400"  # which only a real server can answer
]
Request = dict[str, Any]
Client = httpx.AsyncClient
WRITE = {"coord": "1", "payload": {"fact": "cats purr"}}
QUERY = {"query": "cats"}
LINK = {"from_coord": "1", "to_coord": "2"}

# A right request to each operation, in a world of memories at 1, 2 and 3 and a link from 1 to 2.
GOOD: dict[tuple[str, str], Request] = {
    ("POST", "/store"): {"json": WRITE},
    ("POST", "/store_bulk"): {"json": {"items": [WRITE]}},
    ("POST", "/delete_many"): {"json": {"coords": ["1"]}},
    ("GET", "/memories/{coord}"): {},
    ("GET", "/memories/{coord}/versions"): {},
    ("PATCH", "/memories/{coord}"): {"json": {"payload": {"n": 1}}},
    ("PUT", "/memories/{coord}/importance"): {"json": {"importance": 2}},
    ("DELETE", "/memories/{coord}"): {},
    ("GET", "/memories"): {},
    ("POST", "/recall"): {"json": QUERY},
    ("GET", "/recall"): {"params": QUERY},
    ("POST", "/recall_batch"): {"json": {"queries": ["cats"]}},
    ("POST", "/recall_with_scores"): {"json": QUERY},
    ("POST", "/hybrid_recall_with_scores"): {"json": QUERY},
    ("POST", "/recall_with_context"): {"json": {**QUERY, "context": {}}},
    ("POST", "/explain"): {"json": QUERY},
    ("POST", "/keyword_search"): {"json": {"term": "cats"}},
    ("GET", "/range"): {"params": {"min": "0", "max": "9"}},
    ("POST", "/link"): {"json": LINK},
    ("DELETE", "/link"): {"params": LINK},
    ("GET", "/links"): {},
    ("POST", "/links"): {"json": {"links": [LINK]}},
    ("GET", "/neighbors"): {"params": {"coord": "1"}},
    ("GET", "/shortest_path"): {"params": {"frm": "1", "to": "2"}},
    ("GET", "/recent"): {},
    ("GET", "/important"): {},
    ("GET", "/replay"): {},
    ("GET", "/reflect"): {},
    ("POST", "/outcome"): {"json": {"coord": "1", "outcome": "rain"}},
    ("POST", "/consolidate"): {"json": {}},
    ("GET", "/export"): {},
    ("POST", "/import"): {"content": b'{"coordinate": [5], "fact": "herons wade"}'},
    ("GET", "/stats"): {},
    ("GET", "/audit"): {},
    ("POST", "/erase"): {"json": {"coord": "1"}},
    ("GET", "/health"): {},
    ("GET", "/healthz"): {},
    ("GET", "/readyz"): {},
}
NOBODY: dict[tuple[str, str], Request] = {
    ("POST", "/link"): {"json": {"from_coord": "1", "to_coord": "99"}},
    ("DELETE", "/link"): {"params": {"from_coord": "2", "to_coord": "1"}},
    ("POST", "/links"): {"json": {"links": [{"from_coord": "1", "to_coord": "99"}]}},
    ("GET", "/neighbors"): {"params": {"coord": "99"}},
    ("GET", "/shortest_path"): {"params": {"frm": "1", "to": "99"}},
    ("POST", "/outcome"): {"json": {"coord": "99", "outcome": "rain"}},
}
LIMITS = {
    "408": {"SOMA_BODY_TIMEOUT_SECONDS": "0.02"},
    "413": {"SOMA_MAX_REQUEST_BODY_MB": "0.000001"},
    "429": {"SOMA_RATE_LIMIT_MAX": "1"},
}


async def ask(client: Client, method: str, path: str, *, coord: str = "1", **changes: Any) -> httpx.Response:
    request = GOOD[method, path] | changes
    return await client.request(method, path.replace("{coord}", coord), **request)


async def without_token(client: Client, _: World, method: str, path: str) -> httpx.Response:
    return await ask(client, method, path, headers={"authorization": ""})


async def with_a_wrong_token(client: Client, _: World, method: str, path: str) -> httpx.Response:
    return await ask(client, method, path, headers={"authorization": "Bearer wrong"})


async def where_nobody_lives(client: Client, _: World, method: str, path: str) -> httpx.Response:
    return await ask(client, method, path, coord="99", **NOBODY.get((method, path), {}))


async def that_hangs(client: Client, _: World, method: str, path: str) -> httpx.Response:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    return await client.request(method, path.replace("{coord}", "1"), content=stuck())


async def at_the_same_time(client: Client, world: World, method: str, path: str) -> httpx.Response:
    key = {"idempotency-key": "k"}
    await ask(client, method, path, headers=key)
    for row in world.records.request_keys._rows.values():
        row.answer, row.until = None, float("inf")  # as if the first one were still at work
    return await ask(client, method, path, headers=key)


async def expecting_another_version(client: Client, _: World, method: str, path: str) -> httpx.Response:
    return await ask(client, method, path, headers={"if-match": '"99"'})


async def in_no_namespace(client: Client, _: World, method: str, path: str) -> httpx.Response:
    return await ask(client, method, path, headers={"x-soma-namespace": "!"})


async def again(client: Client, _: World, method: str, path: str) -> httpx.Response:
    await ask(client, method, path)
    return await ask(client, method, path)


async def without_the_truth(client: Client, world: World, method: str, path: str) -> httpx.Response:
    world.records.away = True
    return await ask(client, method, path)


async def rightly(client: Client, _: World, method: str, path: str) -> httpx.Response:
    return await ask(client, method, path)


RECIPES: dict[str, Callable[[Client, World, str, str], Awaitable[httpx.Response]]] = {
    "200": rightly,
    "401": without_token,
    "403": with_a_wrong_token,
    "404": where_nobody_lives,
    "408": that_hangs,
    "409": at_the_same_time,
    "412": expecting_another_version,
    "413": rightly,
    "422": in_no_namespace,
    "429": again,
    "503": without_the_truth,
}


@pytest.mark.parametrize(("method", "path", "status"), CASES, ids=str)
async def test_a_documented_status_can_happen(world: World, method: str, path: str, status: str) -> None:
    """(http defect 19)"""
    async with world.client() as client:
        items = [{"coord": str(n), "payload": {"fact": "cats purr", "n": n}} for n in (1, 2, 3)]
        await client.post("/store_bulk", json={"items": items})
        await client.post("/link", json=LINK)
    async with world.client(**LIMITS.get(status, {})) as client:
        answer = await RECIPES[status](client, world, method, path)

    assert answer.status_code == int(status), answer.text
    told = DOCUMENT["paths"][path][method.lower()]["responses"][status]
    assert answer.headers["content-type"] in told["content"]
    for name in ("retry-after", "www-authenticate", "etag"):
        assert (name not in answer.headers) or name in {header.lower() for header in told["headers"]}
    if status in {"409", "429", "503"} and "Retry-After" in told.get("headers", ()):
        assert int(answer.headers["retry-after"]) >= 1


def test_every_operation_is_known_here() -> None:
    assert {(method, path) for method, path, _ in CASES} == set(GOOD), "add a right request to GOOD"
