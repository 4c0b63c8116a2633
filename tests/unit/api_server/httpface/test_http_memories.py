"""Storing, recalling, looking up and forgetting over HTTP."""

from typing import Any

import httpx

from tests.unit.api_server.conftest import World


async def store(client: httpx.AsyncClient, coord: str, kind: str = "episodic", **payload: Any) -> httpx.Response:
    return await client.post("/store", json={"coord": coord, "payload": payload, "type": kind})


async def recalled(client: httpx.AsyncClient, query: str, **more: Any) -> list[dict[str, Any]]:
    answer = await client.post("/recall", json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["matches"])


async def test_a_stored_memory_is_recalled_at_once(client: httpx.AsyncClient) -> None:
    """(X-01)"""
    stored = await store(client, "1, 2,3", "semantic", fact="cats purr when they are content")
    await store(client, "2", fact="dogs bark at strangers")

    assert stored.json() == {"ok": True, "indexed": True, "version": 1}
    best = (await recalled(client, "purring cats"))[0]
    assert best["fact"] == "cats purr when they are content"
    assert best["coordinate"] == [1.0, 2.0, 3.0]
    assert best["memory_type"] == "semantic"
    assert "timestamp" not in best


async def test_an_episodic_memory_always_has_a_timestamp(client: httpx.AsyncClient) -> None:
    await store(client, "1", task="water the plants")
    await store(client, "2", task="water the garden", timestamp="2026-01-01T00:00:00Z")

    first, second = sorted(await recalled(client, "water"), key=lambda memory: memory["coordinate"])

    assert isinstance(first["timestamp"], float)
    assert second["timestamp"] == 1767225600.0


async def test_get_and_post_recall_answer_the_same(client: httpx.AsyncClient) -> None:
    await store(client, "1", fact="the sea is blue", colour="blue")
    await store(client, "2", fact="the sea is green", colour="green")

    posted = await recalled(client, "sea", filters={"colour": "green"})
    got = await client.get("/recall", params={"query": "sea", "filters": '{"colour": "green"}'})

    assert [memory["fact"] for memory in posted] == ["the sea is green"]
    assert got.json()["matches"] == posted


async def test_type_and_filters_never_cost_results(client: httpx.AsyncClient) -> None:
    """(http defect 23)"""
    for number in range(60):
        await store(client, str(number), fact="a fact about rain", number=number)
    await store(client, "1000", "semantic", fact="a fact about rain", number=59)

    assert [m["number"] for m in await recalled(client, "rain", top_k=1, filters={"number": 41})] == [41]
    assert [m["coordinate"] for m in await recalled(client, "rain", top_k=1, type="semantic")] == [[1000.0]]


async def test_storing_again_replaces_and_counts_the_version(client: httpx.AsyncClient) -> None:
    await store(client, "1", fact="old words")
    again = await store(client, "1.0", fact="new words")

    assert again.json()["version"] == 2
    assert (await client.get("/memories/1")).json()["payload"] == {"fact": "new words"}
    assert (await client.get("/stats")).json() == {"total_memories": 1, "episodic": 1, "semantic": 0}


async def test_a_forgotten_memory_is_gone_everywhere_until_stored_again(client: httpx.AsyncClient) -> None:
    await store(client, "1", fact="a secret")

    assert (await client.delete("/memories/1")).json() == {"ok": True, "indexed": True, "version": 2}
    assert (await client.get("/memories/1")).status_code == 404
    assert (await client.delete("/memories/1")).status_code == 404
    assert await recalled(client, "secret") == []
    assert (await store(client, "1", fact="a secret")).json()["version"] == 3
    assert len(await recalled(client, "secret")) == 1


async def test_system_fields_cannot_be_spoofed_but_are_kept(client: httpx.AsyncClient) -> None:
    """(http defect 7)"""
    spoof: dict[str, Any] = {
        "memory_type": "divine",
        "coordinate": [9],
        "importance_norm": 7,
        "access_count": 99,
        "links": ["x"],
    }
    await store(client, "1", fact="honest", **spoof)

    (match,) = await recalled(client, "honest")

    assert (match["memory_type"], match["coordinate"], match["importance_norm"]) == ("episodic", [1.0], 0.5)
    assert "access_count" not in match
    assert "links" not in match
    assert (await client.get("/memories/1")).json()["payload"] == {"fact": "honest", **spoof}


async def test_without_the_index_a_store_succeeds_and_says_so(client: httpx.AsyncClient, world: World) -> None:
    world.vectors.away = True
    stored = await store(client, "1", fact="lighthouses guide ships")
    answer = (await client.post("/recall", json={"query": "lighthouses"})).json()

    assert (stored.status_code, stored.json()["indexed"]) == (200, False)
    assert answer["degraded"] == ["qdrant"]
    assert [match["fact"] for match in answer["matches"]] == ["lighthouses guide ships"]

    world.vectors.away = False
    await world.indexer.refresh([event.id for _, event in await world.records.pending(10)])
    answer = (await client.post("/recall", json={"query": "lighthouses"})).json()
    assert "degraded" not in answer
    assert len(answer["matches"]) == 1


async def test_without_the_truth_everything_is_refused_with_a_time_to_come_back(
    client: httpx.AsyncClient, world: World
) -> None:
    """(http defect 1)"""
    world.records.away = True
    answers = [
        await store(client, "1", fact="x"),
        await client.post("/recall", json={"query": "x"}),
        await client.get("/memories/1"),
        await client.delete("/memories/1"),
        await client.get("/stats"),
    ]

    # A recall that finds nothing in the index needs no truth.
    assert [answer.status_code for answer in answers] == [503, 200, 503, 503, 503]
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 503)
    world.records.away = False
    assert (await client.get("/stats")).json()["total_memories"] == 0


async def test_a_hit_that_the_truth_contradicts_is_dropped(client: httpx.AsyncClient, world: World) -> None:
    await store(client, "1", fact="the old text about volcanoes")
    world.vectors.away = True
    await store(client, "1", fact="something about glaciers")
    world.vectors.away = False

    assert await recalled(client, "volcanoes") == []


async def test_hybrid_false_searches_by_vector_only(client: httpx.AsyncClient) -> None:
    """(http defect 22)"""
    await store(client, "1", fact="running")

    async def parts(*, hybrid: bool) -> set[str]:
        body = {"query": "running", "hybrid": hybrid, "explain": True}
        (explained,) = (await client.post("/recall", json=body)).json()["explanations"]
        return {name for name, part in explained["parts"].items() if part}

    assert await parts(hybrid=True) - await parts(hybrid=False) == {"sparse"}
    assert "dense" in await parts(hybrid=False)
    assert await recalled(client, "!?!", hybrid=False) == []


async def test_counting_reads_no_memory(client: httpx.AsyncClient, world: World) -> None:
    """(http defect 20)"""
    for number in range(3):
        await store(client, str(number), "semantic" if number else "episodic", fact="x")

    async def never(*_: object, **__: object) -> None:
        raise AssertionError("a memory was read")

    records: Any = world.records
    for owner, names in ((records, ("get", "scan", "find_text")), (records.lookups, ("page", "foremost"))):
        for name in names:
            setattr(owner, name, never)

    answer = await client.get("/stats")

    assert answer.json() == {"total_memories": 3, "episodic": 1, "semantic": 2}


async def test_a_payload_without_words_is_stored_and_found_by_its_place(client: httpx.AsyncClient) -> None:
    assert (await store(client, "1", nothing=None)).json()["indexed"] is True
    assert (await client.get("/memories/1")).json()["payload"] == {"nothing": None}
