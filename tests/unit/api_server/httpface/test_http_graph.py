"""Links over HTTP."""

from typing import Any

import httpx
import orjson
import pytest

from tests.unit.api_server.conftest import World


async def stored(client: httpx.AsyncClient, *coords: str) -> None:
    items = [{"coord": coord, "payload": {"fact": coord}} for coord in coords]
    assert (await client.post("/store_bulk", json={"items": items})).status_code == 200


async def linked(client: httpx.AsyncClient, source: str, target: str, **more: Any) -> None:
    answer = await client.post("/link", json={"from_coord": source, "to_coord": target, **more})
    assert answer.json() == {"ok": True}


async def path(client: httpx.AsyncClient, frm: str, to: str, **more: str) -> list[list[float]]:
    return list((await client.get("/shortest_path", params={"frm": frm, "to": to, **more})).json()["path"])


async def test_neighbors_are_pairs_of_place_and_link(client: httpx.AsyncClient) -> None:
    await stored(client, "1", "2,2", "3")
    await linked(client, "1", "2,2")
    await linked(client, "1", "3", type="causes", weight=2.5)

    both = (await client.get("/neighbors", params={"coord": "1.0"})).json()["neighbors"]
    causes = (await client.get("/neighbors", params={"coord": "1", "link_type": "causes"})).json()["neighbors"]
    one = (await client.get("/neighbors", params={"coord": "1", "limit": 1})).json()["neighbors"]

    assert [(coordinate, edge["type"], edge["weight"]) for coordinate, edge in both] == [
        ([2.0, 2.0], "related", 1.0),
        ([3.0], "causes", 2.5),
    ]
    assert all(edge["to"] == coordinate and edge["timestamp"] > 0 for coordinate, edge in both)
    assert causes == both[1:]
    assert one == both[:1]
    assert (await client.get("/neighbors", params={"coord": "3"})).json() == {"neighbors": []}


async def test_the_shortest_path_follows_weights_and_types(client: httpx.AsyncClient) -> None:
    """(X-02)"""
    await stored(client, "1", "2", "3", "4")
    await linked(client, "1", "3", weight=10, type="far")
    await linked(client, "1", "2")
    await linked(client, "2", "3")

    assert await path(client, "1", "3") == [[1.0], [2.0], [3.0]]
    assert await path(client, "1", "3", link_type="far") == [[1.0], [3.0]]
    assert await path(client, "3", "1") == []
    assert await path(client, "1", "4") == []
    assert await path(client, "1", "1") == [[1.0]]


async def test_an_unlinked_link_is_gone(client: httpx.AsyncClient) -> None:
    await stored(client, "1", "2")
    await linked(client, "1", "2")
    which = {"from_coord": "1", "to_coord": "2"}

    assert (await client.delete("/link", params=which)).json() == {"ok": True}
    assert (await client.delete("/link", params=which)).status_code == 404
    assert await path(client, "1", "2") == []


async def test_links_of_a_forgotten_memory_are_gone(client: httpx.AsyncClient) -> None:
    await stored(client, "1", "2", "3")
    await linked(client, "1", "2")
    await linked(client, "2", "3")

    await client.delete("/memories/2")
    await stored(client, "2")

    assert await path(client, "1", "3") == []
    assert (await client.get("/neighbors", params={"coord": "1"})).json() == {"neighbors": []}


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "/neighbors?coord=9"),
        ("GET", "/shortest_path?frm=1&to=9"),
        ("GET", "/shortest_path?frm=9&to=1"),
        ("DELETE", "/link?from_coord=1&to_coord=9"),
    ],
)
async def test_what_does_not_live_is_named(client: httpx.AsyncClient, method: str, url: str) -> None:
    """(http defect 2)"""
    await stored(client, "1")

    answer = await client.request(method, url)

    assert answer.status_code == 404
    assert "9.0" in answer.json()["detail"]


@pytest.mark.parametrize("ends", [("1", "9"), ("9", "1")])
async def test_a_missing_memory_cannot_be_linked(client: httpx.AsyncClient, ends: tuple[str, str]) -> None:
    """(http defect 2)"""
    await stored(client, "1")

    answer = await client.post("/link", json={"from_coord": ends[0], "to_coord": ends[1]})

    assert (answer.status_code, answer.json()["detail"]) == (404, "no memory lives at 9.0")


@pytest.mark.parametrize(
    "body",
    [
        {"from_coord": "1", "to_coord": "1.0"},
        {"from_coord": "1", "to_coord": "x"},
        {"from_coord": "1", "to_coord": "2", "weight": -1},
        {"from_coord": "1", "to_coord": "2", "weight": 1e10},
        {"from_coord": "1", "to_coord": "2", "type": ""},
        {"from_coord": "1", "to_coord": "2", "type": "a\x00"},
        {"from_coord": "1", "to_coord": "2", "type": "x" * 65},
        {"from_coord": "1", "to_coord": "2", "extra": 1},
    ],
)
async def test_a_bad_link_is_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    await stored(client, "1", "2")

    assert (await client.post("/link", json=body)).status_code == 422


@pytest.mark.parametrize(
    "url",
    [
        "/neighbors",
        "/neighbors?coord=x",
        "/neighbors?coord=1&limit=0",
        "/neighbors?coord=1&limit=-1",
        "/neighbors?coord=1&limit=1001",
        "/neighbors?coord=1&depth=2",
        "/neighbors?coord=1&link_type=%00",
        "/shortest_path?frm=1",
    ],
)
async def test_a_bad_question_is_refused(client: httpx.AsyncClient, url: str) -> None:
    assert (await client.get(url)).status_code == 422


async def test_a_link_is_told_in_an_event(client: httpx.AsyncClient, world: World) -> None:
    await stored(client, "1", "2")
    await linked(client, "1", "2", type="causes", weight=2)

    event = (await world.records.pending(10))[-1][1]

    assert (event.type, event.version) == ("linked", 1)
    told = orjson.loads(event.payload_json)
    assert (told["from"], told["to"], told["link_type"], told["weight"]) == ([1.0], [2.0], "causes", 2.0)


async def test_links_need_the_truth(client: httpx.AsyncClient, world: World) -> None:
    await stored(client, "1", "2")
    world.records.away = True

    assert (await client.post("/link", json={"from_coord": "1", "to_coord": "2"})).status_code == 503
    assert (await client.get("/neighbors", params={"coord": "1"})).status_code == 503


async def test_many_links_are_put_at_once_and_listed_page_by_page(client: httpx.AsyncClient) -> None:
    await stored(client, "1", "2", "3")
    links = [
        {"from_coord": "3", "to_coord": "1"},
        {"from_coord": "1", "to_coord": "2", "type": "a|b", "weight": 2},
        {"from_coord": "1", "to_coord": "3"},
        {"from_coord": "1", "to_coord": "3", "weight": 4},
    ]

    assert (await client.post("/links", json={"links": links})).json() == {"linked": 3}

    first = (await client.get("/links", params={"limit": 2})).json()
    rest = (await client.get("/links", params={"limit": 2, "after": first["next"]})).json()
    assert [(link["from"], link["to"], link["type"], link["weight"]) for link in first["links"] + rest["links"]] == [
        ([1.0], [2.0], "a|b", 2.0),
        ([1.0], [3.0], "related", 4.0),
        ([3.0], [1.0], "related", 1.0),
    ]
    assert "next" not in rest


async def test_many_links_are_refused_as_one(client: httpx.AsyncClient) -> None:
    await stored(client, "1", "2")
    good = {"from_coord": "1", "to_coord": "2"}

    missing = await client.post("/links", json={"links": [good, {"from_coord": "1", "to_coord": "9"}]})
    itself = await client.post("/links", json={"links": [good, {"from_coord": "1", "to_coord": "1.0"}]})
    broken = await client.post("/links", json={"links": [good, {"from_coord": "1", "to_coord": "x"}]})
    page = await client.get("/links", params={"after": "1|2"})

    assert [answer.status_code for answer in (missing, itself, broken, page)] == [404, 422, 422, 422]
    assert "9.0" in missing.json()["detail"]
    assert "link 1" in itself.json()["detail"]
    assert "link 1" in broken.json()["detail"]
    assert (await client.get("/links")).json() == {"links": []}
