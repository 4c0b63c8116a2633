"""Bulk stores, and recall by batch, with scores, with terms and in a context."""

from typing import Any

import httpx
import pytest

from tests.unit.api_server.conftest import World

FACTS = ["red kites circle over fields", "a red brick house", "kites fly on strings", "buses depart at noon"]


async def stored(client: httpx.AsyncClient, facts: list[str] = FACTS, **more: Any) -> None:
    items = [{"coord": str(n), "payload": {"fact": fact, **more}} for n, fact in enumerate(facts)]
    answer = await client.post("/store_bulk", json={"items": items})
    assert answer.json() == {"stored": len(facts), "indexed": True}


async def results(client: httpx.AsyncClient, path: str, **body: Any) -> list[dict[str, Any]]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


async def test_a_bulk_is_found_at_once_and_leaves_one_event_each(client: httpx.AsyncClient, world: World) -> None:
    await stored(client, [f"fact number {n}" for n in range(250)])

    (match,) = (await client.post("/recall", json={"query": "249", "top_k": 1})).json()["matches"]
    assert match["fact"] == "fact number 249"
    assert len(await world.records.pending(1000)) == 250


@pytest.mark.parametrize(
    ("bad", "loc"),
    [
        ({"coord": "1,,2", "payload": {}}, ["items", 1, "coord"]),
        ({"coord": "1", "payload": {"importance": True}}, ["items", 1, "payload", "importance"]),
        ({"coord": "1", "payload": {}, "type": "divine"}, ["items", 1, "type"]),
        ({"coord": "1", "payload": {"x": "a\x00b"}}, ["items", 1, "payload"]),
    ],
)
async def test_one_bad_item_anywhere_stores_nothing_and_is_named(
    client: httpx.AsyncClient, bad: dict[str, Any], loc: list[str | int]
) -> None:
    good = {"coord": "7", "payload": {"fact": "x"}}

    answer = await client.post("/store_bulk", json={"items": [good, bad, good]})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == loc
    assert (await client.get("/stats")).json()["total_memories"] == 0


async def test_of_several_items_at_one_place_the_last_stays(client: httpx.AsyncClient) -> None:
    items = [{"coord": coord, "payload": {"n": n}} for n, coord in enumerate(["1", "2", "1.0"])]

    answer = await client.post("/store_bulk", json={"items": items})

    assert answer.json()["stored"] == 2
    assert (await client.get("/memories/1")).json()["payload"] == {"n": 2}


async def test_bulks_have_bounds(client: httpx.AsyncClient) -> None:
    item = {"coord": "1", "payload": {}}

    assert (await client.post("/store_bulk", json={"items": [item] * 1001})).status_code == 422
    assert (await client.post("/store_bulk", json={"items": []})).json() == {"stored": 0, "indexed": True}


async def test_a_bulk_without_the_index_is_committed_and_says_so(client: httpx.AsyncClient, world: World) -> None:
    world.vectors.away = True

    answer = await client.post("/store_bulk", json={"items": [{"coord": "1", "payload": {"fact": "x"}}]})

    assert answer.json() == {"stored": 1, "indexed": False}


async def test_a_batch_answers_each_query_as_recall_does(client: httpx.AsyncClient) -> None:
    await stored(client)
    queries = ["red kites", "buses", "!?", "strings"]

    batches = (await client.post("/recall_batch", json={"queries": queries, "top_k": 2})).json()["batches"]

    singles = [(await client.post("/recall", json={"query": query, "top_k": 2})).json() for query in queries]
    assert batches == [single["matches"] for single in singles]
    assert batches[2] == []


async def test_a_batch_tells_when_it_is_degraded(client: httpx.AsyncClient, world: World) -> None:
    await stored(client)
    world.vectors.away = True

    answer = (await client.post("/recall_batch", json={"queries": ["kites", "buses"]})).json()

    assert answer["degraded"] == ["qdrant"]
    assert [len(batch) for batch in answer["batches"]] == [2, 1]


async def test_scores_order_the_results_and_their_parts_add_up(client: httpx.AsyncClient) -> None:
    await stored(client)

    for path in ("/recall_with_scores", "/hybrid_recall_with_scores"):
        found = await results(client, path, query="red kites", explain=True)

        assert found[0]["payload"]["fact"] == FACTS[0]
        assert [each["score"] for each in found] == sorted((each["score"] for each in found), reverse=True)
        for each in found:
            assert sum(each["parts"].values()) == pytest.approx(each["score"])


@pytest.mark.parametrize("away", [False, True])
async def test_an_explained_recall_tells_the_parts_of_each_score(
    client: httpx.AsyncClient, world: World, away: bool
) -> None:
    await stored(client)
    world.vectors.away = away

    body = {"query": "red kites", "explain": True}
    explained = (await client.post("/recall", json=body)).json()
    got = (await client.get("/recall", params={"query": "red kites", "explain": "true"})).json()

    assert len(explained["explanations"]) == len(explained["matches"]) == len(got["explanations"])
    for each in explained["explanations"]:
        assert sum(each["parts"].values()) == pytest.approx(each["score"])
    assert "explanations" not in (await client.post("/recall", json={"query": "red kites"})).json()


async def test_a_term_lifts_memories_that_the_query_alone_would_not_find(client: httpx.AsyncClient) -> None:
    await stored(client)

    found = await results(client, "/hybrid_recall_with_scores", query="red kites", terms=["buses depart"], top_k=2)

    assert found[0]["payload"]["fact"] == FACTS[3]
    assert found[1]["payload"]["fact"] == FACTS[0]


async def test_the_boost_of_terms_is_bounded_by_what_was_asked(client: httpx.AsyncClient) -> None:
    await stored(client, ["kites kites kites kites", "kites"])

    found = await results(client, "/hybrid_recall_with_scores", query="kites", terms=["kites"], boost=3, explain=True)

    assert [each["parts"]["terms"] for each in found] == [3.0, 3.0]


async def test_terms_are_whole_words_unless_inexact_and_heed_case_when_told(client: httpx.AsyncClient) -> None:
    await stored(client, ["Kites rise", "kitesurfing is fun"])

    async def lifted(**more: Any) -> set[str]:
        body = {"query": "kites", "terms": ["kites"], "explain": True, **more}
        found = await results(client, "/hybrid_recall_with_scores", **body)
        return {each["payload"]["fact"] for each in found if each["parts"]["terms"]}

    assert await lifted() == {"Kites rise"}
    assert await lifted(exact=False) == {"Kites rise", "kitesurfing is fun"}
    assert await lifted(exact=False, case_sensitive=True) == {"kitesurfing is fun"}


async def test_terms_count_without_the_index_too(client: httpx.AsyncClient, world: World) -> None:
    await stored(client)
    world.vectors.away = True

    found = await results(client, "/hybrid_recall_with_scores", query="kites", terms=["strings"])

    assert found[0]["payload"]["fact"] == FACTS[2]


async def test_the_context_decides_between_equals_and_never_replaces_the_query(client: httpx.AsyncClient) -> None:
    await stored(client, ["the meeting is at nine in london", "the meeting is at ten in paris", "paris is in france"])

    for city, hour in (("london", "nine"), ("paris", "ten")):
        found = await results(client, "/recall_with_context", query="the meeting", context={"city": city}, top_k=2)

        assert hour in found[0]["fact"]
        assert "meeting" in found[1]["fact"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/recall_batch", {"queries": ["x"] * 65}),
        ("/recall_batch", {"queries": ["x" * 20_000]}),
        ("/recall_batch", {"queries": ["x"], "top_k": 0}),
        ("/recall_with_scores", {"query": "x", "type": "divine"}),
        ("/recall_with_scores", {"query": "x", "top_k": 1001}),
        ("/hybrid_recall_with_scores", {"query": "x", "boost": -1}),
        ("/hybrid_recall_with_scores", {"query": "x", "boost": 11}),
        ("/hybrid_recall_with_scores", {"query": "x", "terms": ["x"] * 33}),
        ("/hybrid_recall_with_scores", {"query": "x", "terms": ["!?"]}),
        ("/hybrid_recall_with_scores", {"query": "x", "terms": [""]}),
        ("/recall_with_context", {"query": "x"}),
        ("/recall_with_context", {"query": "x", "context": {"a": "\x00"}}),
        ("/recall", {"query": "x", "explain": "perhaps"}),
    ],
)
async def test_what_breaks_a_bound_is_refused(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    """(http defect 4)"""
    assert (await client.post(path, json=body)).status_code == 422
