"""Keyword search and ranges over HTTP."""

from typing import Any

import httpx
import pytest

from tests.unit.api_server.conftest import World


async def stored(client: httpx.AsyncClient, **facts: str) -> None:
    items = [{"coord": str(n), "payload": {key: fact}} for n, (key, fact) in enumerate(facts.items())]
    assert (await client.post("/store_bulk", json={"items": items})).status_code == 200


async def found(client: httpx.AsyncClient, term: str, **more: Any) -> list[float]:
    answer = await client.post("/keyword_search", json={"term": term, **more})
    assert answer.status_code == 200, answer.text
    return sorted(memory["coordinate"][0] for memory in answer.json()["results"])


async def test_exact_means_whole_words_in_order_and_inexact_any_letters(client: httpx.AsyncClient) -> None:
    await stored(client, one="low tide at noon", two="tidelands", three="tide low")

    assert await found(client, "low tide") == [0.0]
    assert await found(client, "low tide", mode="word") == [0.0, 2.0]
    assert await found(client, "tide") == [0.0, 2.0]
    assert await found(client, "tide", exact=False) == [0.0, 1.0, 2.0]
    assert await found(client, "tide", mode="substring", top_k=2) != []
    assert await found(client, "Tide", case_sensitive=True) == []


async def test_only_values_of_the_caller_are_searched(client: httpx.AsyncClient) -> None:
    await stored(client, episodic="a fact")

    assert await found(client, "episodic") == []
    assert await found(client, "memory_type", exact=False) == []


async def test_keywords_need_no_index_but_the_truth(client: httpx.AsyncClient, world: World) -> None:
    await stored(client, one="tide")
    world.vectors.away = True
    assert await found(client, "tide") == [0.0]

    world.records.away = True
    assert (await client.post("/keyword_search", json={"term": "tide"})).status_code == 503


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"term": ""},
        {"term": "!?"},
        {"term": "x" * 257},
        {"term": "a\x00b", "exact": False},
        {"term": "x", "mode": "regex"},
        {"term": "x", "top_k": 0},
        {"term": "x", "top_k": 1001},
        {"term": "x", "type": "divine"},
    ],
)
async def test_a_bad_keyword_search_is_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await client.post("/keyword_search", json=body)).status_code == 422


async def test_a_range_is_inclusive_and_read_in_pages(client: httpx.AsyncClient) -> None:
    await stored(client, **{f"n{n}": "x" for n in range(10)})

    whole = (await client.get("/range", params={"min": "2", "max": "5.0"})).json()
    first = (await client.get("/range", params={"min": "0", "max": "9", "limit": 6})).json()
    rest = (await client.get("/range", params={"min": "0", "max": "9", "limit": 6, "after": first["next"]})).json()

    assert whole == {"coords": [[2.0], [3.0], [4.0], [5.0]]}
    assert [place for (place,) in first["coords"] + rest["coords"]] == list(range(10))
    assert "next" not in rest


async def test_all_memories_are_listed_in_pages(client: httpx.AsyncClient) -> None:
    await stored(client, **{f"n{n}": "x" for n in range(5)})

    first = (await client.get("/memories", params={"limit": 3})).json()
    await client.post("/store", json={"coord": "-1", "payload": {}})
    rest = (await client.get("/memories", params={"limit": 3, "after": first["next"]})).json()
    alone = (await client.get("/memories/0")).json()

    assert [memory["coordinate"] for memory in first["memories"] + rest["memories"]] == [[n] for n in range(5)]
    assert first["memories"][0] == alone
    assert "next" not in rest
    assert (await client.get("/memories", params={"type": "semantic"})).json() == {"memories": []}


@pytest.mark.parametrize(
    "url",
    [
        "/memories?limit=0",
        "/memories?limit=1001",
        "/memories?after=x",
        "/memories?page=1",
        "/range?min=1",
        "/range?min=1&max=1,2",
        "/range?min=1&max=2&after=1,1",
        "/range?min=nan&max=2",
        "/range?min=1&max=2&limit=0",
        "/range?min=1&max=2&limit=1001",
        "/range?min=1&max=2&type=divine",
        "/range?min=1&max=2&page=2",
    ],
)
async def test_a_bad_range_is_refused(client: httpx.AsyncClient, url: str) -> None:
    assert (await client.get(url)).status_code == 422
