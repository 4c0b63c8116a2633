"""What the API refuses, and how it says so."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from structlog.testing import capture_logs

from tests.unit.api_server.conftest import TOKEN, World

GOOD = {"coord": "1", "payload": {"fact": "x"}}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('{"coord": "1", "payload": {', "JSON"),
        ('{"coord": "1", "payload": {"x": NaN}}', "JSON"),
        ('{"coord": "1", "payload": {"x": 1e999}}', "JSON"),
        ('{"coord": "1", "payload": {"x": "\\ud800"}}', "JSON"),
        ("[1]", "object"),
        ("null", "object"),
        ('{"coord": "1"}', "payload"),
        ('{"coord": 1, "payload": {}}', "coord"),
        ('{"coord": "1", "payload": []}', "payload"),
        ('{"coord": "1", "payload": {}, "type": "divine"}', "type"),
        ('{"coord": "1", "payload": {}, "extra": 1}', "extra"),
        ('{"coord": "", "payload": {}}', "numbers"),
        ('{"coord": "1,,2", "payload": {}}', "numbers"),
        ('{"coord": "nan", "payload": {}}', "finite"),
        ('{"coord": "1,-inf", "payload": {}}', "finite"),
        (json.dumps({"coord": ",".join("1" * 65), "payload": {}}), "64"),
        (json.dumps({"coord": "1" * 5000, "payload": {}}), "coord"),
        ('{"coord": "1", "payload": {"importance": "inf"}}', "importance"),
        ('{"coord": "1", "payload": {"importance": 1e300}}', "importance"),
        ('{"coord": "1", "payload": {"importance": true}}', "importance"),
        ('{"coord": "1", "payload": {"timestamp": "yesterday"}}', "timestamp"),
        ('{"coord": "1", "payload": {"x": "a\\u0000b"}}', "NUL"),
        ('{"coord": "1", "payload": {"a\\u0000b": 1}}', "NUL"),
        ('{"coord": "1", "payload": {"x": ' + "[" * 40 + "]" * 40 + "}}", "nested"),
        ('{"coord": "1", "payload": ' + '{"a":' * 2000 + "1" + "}" * 2000 + "}", "JSON"),
        (json.dumps({"coord": "1", "payload": {str(n): n for n in range(300)}}), "keys"),
        (json.dumps({"coord": "1", "payload": {"x": [0] * 30_000}}), "values"),
        (json.dumps({"coord": "1", "payload": {"x": [[]] * 30_000}}), "values"),
    ],
)
async def test_a_bad_store_is_refused_with_the_reason(client: httpx.AsyncClient, body: str, word: str) -> None:
    """Whatever is not finite, unknown types and fields.

    (http defect 3) (http defect 5) (http defect 6) (http defect 8)
    """
    answer = await client.post("/store", content=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.json()["detail"]
    assert (await client.get("/stats")).json()["total_memories"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"query": "x", "top_k": 0},
        {"query": "x", "top_k": -1},
        {"query": "x", "top_k": 1001},
        {"query": "x" * 20_000},
        {"query": "x", "type": "divine"},
        {"query": "x", "filters": {str(n): n for n in range(40)}},
        {"query": "x", "filters": []},
        {"top_k": 5},
    ],
)
async def test_a_bad_recall_is_refused(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    """(http defect 4)"""
    assert (await client.post("/recall", json=body)).status_code == 422


@pytest.mark.parametrize("filters", ["{", "[1]", "1"])
async def test_filters_in_the_query_string_must_be_a_json_object(client: httpx.AsyncClient, filters: str) -> None:
    assert (await client.get("/recall", params={"query": "x", "filters": filters})).status_code == 422


async def test_the_token_is_checked_before_the_body(client: httpx.AsyncClient) -> None:
    """(http defect 12)"""
    missing = await client.post("/store", content="{", headers={"authorization": ""})
    wrong = await client.post("/store", content="{", headers={"authorization": "Bearer wrong"})
    other_scheme = await client.post("/store", content="{", headers={"authorization": f"Basic {TOKEN}"})

    assert (missing.status_code, missing.json()["detail"]) == (401, "Missing bearer token")
    assert missing.headers["www-authenticate"] == "Bearer"
    assert (wrong.status_code, wrong.json()["detail"]) == (403, "Invalid token")
    assert other_scheme.status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_every_configured_token_opens_and_the_scheme_ignores_case(client: httpx.AsyncClient, scheme: str) -> None:
    """(http defect 12)"""
    answer = await client.get("/stats", headers={"authorization": f"{scheme} another-token"})

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/store", "/recall", "/stats", "/memories/1"])
async def test_no_operation_is_open(client: httpx.AsyncClient, path: str) -> None:
    """(S-63)"""
    method = "POST" if path == "/store" else "GET"

    assert (await client.request(method, path, headers={"authorization": ""})).status_code == 401


@pytest.mark.parametrize("path", ["/", "/healthz", "/health", "/readyz", "/metrics", "/docs", "/openapi.json"])
async def test_probes_metrics_and_documentation_need_no_token(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers={"authorization": ""})).status_code == 200


async def test_unknown_paths_and_methods_are_problems_too(client: httpx.AsyncClient) -> None:
    """(http defect 14)"""
    unknown, method = await client.get("/nowhere"), await client.put("/store")

    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")
    assert (method.status_code, method.headers["allow"]) == (405, "POST")


async def test_a_large_body_is_refused_by_its_declared_size(world: World) -> None:
    async with world.client(SOMA_MAX_REQUEST_BODY_MB="0.001") as client:
        refused = await client.post("/store", json={"coord": "1", "payload": {"x": "y" * 2000}})

        assert refused.status_code == 413
        assert (await client.post("/store", json=GOOD)).status_code == 200


async def test_a_large_body_in_chunks_is_refused_while_it_is_read(world: World) -> None:
    """(http defect 13)"""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100:
            sent += 1
            yield b" " * 500

    async with world.client(SOMA_MAX_REQUEST_BODY_MB="0.001") as client:
        refused = await client.post("/store", content=endless())

    assert refused.status_code == 413
    # The transport of httpx gathers nothing ahead: reading stopped at the limit.
    assert sent < 100


async def test_each_token_has_its_budget_on_each_route(world: World) -> None:
    """(http defect 10)"""
    async with world.client(SOMA_RATE_LIMIT_MAX="2", SOMA_RATE_LIMIT_WINDOW_SECONDS="60") as client:
        first, second, third = [await client.post("/store", json=GOOD) for _ in range(3)]
        recall = await client.get("/recall", params={"query": "x"})
        other = await client.post("/store", json=GOOD, headers={"authorization": "Bearer another-token"})

    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 429]
    assert (first.headers["ratelimit-limit"], first.headers["ratelimit-remaining"]) == ("2", "1")
    assert 1 <= int(third.headers["retry-after"]) <= 61
    assert third.headers["ratelimit-remaining"] == "0"
    assert (recall.status_code, other.status_code) == (200, 200)


async def test_a_bug_is_answered_as_a_problem_without_its_secrets(world: World) -> None:
    """(http defect 14)"""

    async def broken(_ids: object) -> None:
        raise RuntimeError("password=hunter2")

    world.records.get = broken  # type: ignore[method-assign, assignment]
    with capture_logs() as logs:
        async with world.client() as client:
            answer = await client.get("/memories/1")

    assert [entry["event"] for entry in logs] == ["unexpected_error"]
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in answer.text


async def test_browsers_are_let_in_only_when_their_origin_is_listed(world: World) -> None:
    asking = {"origin": "https://a.example", "access-control-request-method": "POST"}
    async with world.client(SOMA_CORS_ORIGINS="https://a.example, https://b.example") as client:
        listed = await client.options("/store", headers=asking)
        unlisted = await client.options("/store", headers={**asking, "origin": "https://c.example"})
        answer = await client.post("/store", json=GOOD, headers={"origin": "https://a.example"})

    assert {"ETag", "Retry-After"} <= set(answer.headers["access-control-expose-headers"].split(", "))
    assert listed.headers["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-origin" not in unlisted.headers
