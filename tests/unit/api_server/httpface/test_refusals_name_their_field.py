"""Whoever asks wrongly is told which field is wrong, and what to send instead, in the words of JSON."""

from typing import Any

import httpx
import pytest

COORD = "a coordinate is a list of numbers separated by commas, such as 1,2.5,3"
BODIES: list[tuple[str, Any, str]] = [
    ("/store", {}, "coord: it is needed; payload: it is needed"),
    ("/store", {"coord": 1, "payload": {}}, "coord: a text is needed"),
    ("/store", {"coord": "x", "payload": {}}, f"coord: {COORD}"),
    ("/store", {"coord": "1", "payload": []}, "payload: a JSON object is needed"),
    ("/store", {"coord": "1", "payload": {}, "extra": 1}, "extra: there is no such field: leave it out"),
    ("/store_bulk", {"items": 1}, "items: a JSON array is needed"),
    ("/store_bulk", {"items": [1]}, "items.0: a JSON object is needed"),
    ("/store_bulk", {"items": [{"coord": "1", "payload": {}}] * 1001}, "items: at most 1000 are taken at once"),
    ("/recall", {"query": "x", "top_k": "5"}, "top_k: this is a number, not a text or a truth value"),
    ("/recall", {"query": "x", "top_k": 1.5}, "top_k: a whole number is needed"),
    ("/recall", {"query": "x", "hybrid": "yes"}, "hybrid: true or false is needed"),
    ("/recall", {"query": "x", "filters": {str(n): n for n in range(33)}}, "filters: at most 32 are taken at once"),
    ("/hybrid_recall_with_scores", {"query": "x", "terms": ["a", "!"]}, "terms.1: a whole word has a letter or digit"),
    ("/keyword_search", {"term": "!"}, "term: a whole word has a letter or digit"),
    ("/keyword_search", {"term": " ", "mode": "substring"}, "term: a term is more than blanks"),
    ("/link", {"from_coord": "x", "to_coord": "1"}, f"from_coord: {COORD}"),
    ("/link", {"from_coord": "1", "to_coord": "x"}, f"to_coord: {COORD}"),
    ("/link", {"from_coord": "1", "to_coord": "2", "type": "\0"}, "type: it cannot hold the NUL character"),
    ("/links", {"links": [{"from_coord": "1", "to_coord": "x"}]}, f"link 0: to_coord: {COORD}"),
    ("/delete_many", {"coords": ["1", "x"]}, f"item 1: {COORD}"),
    ("/outcome", {"coord": "x", "outcome": 1}, f"coord: {COORD}"),
    ("/outcome", {"coord": "1", "outcome": "\0"}, "outcome: a payload cannot hold the NUL character"),
    ("/erase", {"coord": "x"}, f"coord: {COORD}"),
    ("/erase", {}, "body: say either coord or namespace"),
]
QUERIES = [
    ("/range?min=0&max=x", f"max: {COORD}"),
    ("/range?min=0&max=1&after=x", f"after: {COORD}"),
    ("/memories?after=x", f"after: {COORD}"),
    ("/memories?limit=x", "limit: a whole number is needed"),
    ("/memories/x", f"coord: {COORD}"),
    ("/neighbors?coord=x", f"coord: {COORD}"),
    ("/shortest_path?frm=1&to=x", f"to: {COORD}"),
    ("/links?after=x", "after: it is the `next` of the page before"),
    ("/links?after=x|1|related", f"after: {COORD}"),
    ("/export?vectors=perhaps", "vectors: true or false is needed"),
]


@pytest.mark.parametrize(("path", "body", "said"), BODIES)
async def test_a_wrong_body_is_told_its_field(client: httpx.AsyncClient, path: str, body: Any, said: str) -> None:
    """(http defect 14)"""
    answer = await client.post(path, json=body)

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(said)
    assert [each["msg"] for each in answer.json()["errors"]]


@pytest.mark.parametrize(("url", "said"), QUERIES)
async def test_a_wrong_address_is_told_its_field(client: httpx.AsyncClient, url: str, said: str) -> None:
    answer = await client.get(url)

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(said)
    assert answer.json()["errors"][0]["loc"][-1] == said.partition(":")[0]


async def test_a_wrong_namespace_is_told_its_header(client: httpx.AsyncClient) -> None:
    answer = await client.get("/stats", headers={"x-soma-namespace": "a b"})

    assert answer.json()["detail"].startswith("X-Soma-Namespace: a namespace is 1 to 128 letters")
    assert answer.json()["errors"][0]["loc"] == ["header", "X-Soma-Namespace"]


async def test_who_is_not_there_is_named(client: httpx.AsyncClient) -> None:
    for method, url in (("GET", "/memories/9"), ("GET", "/memories/9/versions"), ("DELETE", "/memories/9")):
        assert (await client.request(method, url)).json()["detail"] == "no memory lives at 9.0"
