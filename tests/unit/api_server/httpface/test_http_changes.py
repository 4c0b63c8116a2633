"""Importance, deleting many, conditions on storing, and explaining, over HTTP."""

from typing import Any

import httpx
import pytest

from tests.unit.api_server.conftest import World


async def store(client: httpx.AsyncClient, coord: str, condition: str | None = None, **payload: Any) -> httpx.Response:
    headers = {} if condition is None else {"if-match": condition}
    return await client.post("/store", json={"coord": coord, "payload": payload}, headers=headers)


async def matches(client: httpx.AsyncClient, query: str) -> list[dict[str, Any]]:
    return list((await client.post("/recall", json={"query": query})).json()["matches"])


async def test_importance_is_set_in_a_new_version_and_counts_in_recall(client: httpx.AsyncClient) -> None:
    """(http defect 21)"""
    await store(client, "1", fact="cats purr", importance=1)

    answer = await client.put("/memories/1/importance", json={"importance": 9})

    assert (answer.status_code, answer.json()) == (200, {"ok": True, "indexed": True, "version": 2})
    assert answer.headers["etag"] == '"2"'
    memory = (await client.get("/memories/1")).json()
    assert (memory["importance"], memory["payload"]) == (9, {"fact": "cats purr", "importance": 9})
    (match,) = await matches(client, "cats purr")
    assert (match["importance"], match["importance_norm"]) == (9, memory["importance_norm"])
    assert memory["importance_norm"] > 0.5
    assert len((await client.get("/memories/1/versions")).json()["versions"]) == 2


@pytest.mark.parametrize("body", [{}, {"importance": None}, {"importance": 1e10}, {"importance": "much"}, {"x": 1}])
async def test_an_importance_that_is_none_is_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    await store(client, "1", fact="x")

    assert (await client.put("/memories/1/importance", json=body)).status_code == 422
    assert (await client.get("/memories/1")).json()["version"] == 1


async def test_importance_heeds_a_condition_and_needs_a_memory(client: httpx.AsyncClient) -> None:
    await store(client, "1", fact="x")

    late = await client.put("/memories/1/importance", json={"importance": 2}, headers={"if-match": '"7"'})
    nobody = await client.put("/memories/2/importance", json={"importance": 2})

    assert (late.status_code, nobody.status_code) == (412, 404)


async def test_many_are_deleted_together_and_only_those_that_lived_count(
    client: httpx.AsyncClient, world: World
) -> None:
    """(http defect 21)"""
    for coord in ("1", "2", "3"):
        await store(client, coord, fact="cats purr")

    answer = await client.post("/delete_many", json={"coords": ["1", "2.0", "2", "9"]})

    assert answer.json() == {"deleted": 2, "indexed": True}
    assert [match["coordinate"] for match in await matches(client, "cats")] == [[3]]
    assert (await client.post("/delete_many", json={"coords": []})).json() == {"deleted": 0, "indexed": True}
    world.vectors.away = True
    answer = await client.post("/delete_many", json={"coords": ["3"]})
    assert answer.json() == {"deleted": 1, "indexed": False}


async def test_one_bad_place_among_many_deletes_nothing_and_is_named(client: httpx.AsyncClient) -> None:
    await store(client, "1", fact="x")

    answer = await client.post("/delete_many", json={"coords": ["1", "one"]})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["coords", 1]
    assert (await client.get("/memories/1")).status_code == 200


async def test_a_conditional_store_only_replaces_what_the_caller_saw(client: httpx.AsyncClient) -> None:
    etag = (await store(client, "1", n=1)).headers["etag"]

    assert (await store(client, "1", etag, n=2)).json()["version"] == 2
    late = await store(client, "1", etag, n=3)
    nothing = await store(client, "2", '"1"', n=3)

    assert (late.status_code, nothing.status_code) == (412, 412)
    assert "version 2" in late.json()["detail"]
    assert (await client.get("/memories/1")).json()["payload"] == {"n": 2}
    assert (await client.get("/memories/2")).status_code == 404
    assert (await store(client, "1", "three", n=3)).status_code == 422


async def test_an_explanation_holds_every_part_of_each_score(client: httpx.AsyncClient) -> None:
    await store(client, "1", fact="cats purr when stroked")
    await store(client, "2", fact="dogs bark")

    answer = await client.post(
        "/explain", json={"query": "cats", "terms": ["bark"], "boost": 3, "context": {"mood": "stroked"}}
    )

    results = answer.json()["results"]
    assert {result["payload"]["coordinate"][0] for result in results} == {1, 2}
    for result in results:
        assert {"dense", "sparse", "terms", "context", "importance", "recency"} <= set(result["parts"])
        assert sum(result["parts"].values()) == pytest.approx(result["score"])
    plain = (await client.post("/explain", json={"query": "cats"})).json()["results"]
    assert "terms" not in plain[0]["parts"]
