"""Importance between 0 and 1, retrieval counts and the audit, over HTTP."""

import time
from typing import Any

import httpx
import pytest

from tests.unit.api_server.conftest import World


async def store(client: httpx.AsyncClient, coord: str, kind: str = "episodic", **payload: Any) -> None:
    answer = await client.post("/store", json={"coord": coord, "payload": payload, "type": kind})
    assert answer.status_code == 200, answer.text


async def test_importance_is_measured_alike_for_all_that_is_shown_together(client: httpx.AsyncClient) -> None:
    """The same raw value has the same norm, whenever it was stored. (core defect 8)"""
    await store(client, "1", fact="herons", importance=2)
    alone = (await client.get("/memories/1")).json()["importance_norm"]
    await store(client, "2", fact="herons", importance=4)
    await store(client, "3", fact="herons", importance=3)
    await store(client, "4", fact="herons", importance=2)

    answer = await client.post("/recall", json={"query": "herons", "top_k": 9})

    assert alone == 0.5
    norms = {each["coordinate"][0]: each["importance_norm"] for each in answer.json()["matches"]}
    assert norms == {1.0: 0.0, 2.0: 1.0, 3.0: 0.5, 4.0: 0.0}


async def test_importance_orders_equals_whatever_finds_them(world: World) -> None:
    """It is no part of any index, so it acts the same with each, and without one. (core defect 9)"""
    async with world.client() as client:
        for n, importance in enumerate((2, 9, 5)):
            await store(client, f"{n}", fact="a heron on one leg", importance=importance)

        orders = []
        for away in (False, True):
            world.vectors.away = away
            answer = (await client.post("/recall", json={"query": "heron leg"})).json()
            orders.append([each["coordinate"][0] for each in answer["matches"]])

    assert orders == [[1.0, 2.0, 0.0]] * 2


async def test_scales_of_importance_survive_the_process_and_stay_in_their_namespace(world: World) -> None:
    """What was learned is in the truth. (core defect 8)"""
    async with world.client() as client:
        await store(client, "1", fact="herons", importance=2)
        await store(client, "2", fact="herons", importance=4)
    async with world.client() as client:
        assert (await client.get("/memories/2")).json()["importance_norm"] == 1.0
        there = {"x-soma-namespace": "elsewhere"}
        await client.post("/store", json={"coord": "2", "payload": {"importance": 4}}, headers=there)
        assert (await client.get("/memories/2", headers=there)).json()["importance_norm"] == 0.5


async def test_retrievals_are_counted_and_recalls_are_not(world: World) -> None:
    async with world.client() as client:
        await store(client, "1", fact="herons")
        for _ in range(3):
            await client.get("/memories/1")
        await client.post("/recall", json={"query": "herons"})
        await client.patch("/memories/1", json={"payload": {"mood": "calm"}})
    async with world.client() as client:
        memory = (await client.get("/memories/1")).json()

    assert memory["access_count"] == 3
    assert memory["accessed_at"] <= time.time()
    assert memory["version"] == 2


async def test_deletions_are_in_the_audit_with_who_asked_for_them(client: httpx.AsyncClient) -> None:
    """Whoever may administrate can read it over the API. (core defect 26)"""
    await store(client, "1", fact="x")
    await store(client, "2", fact="x")
    await client.delete("/memories/1", headers={"x-request-id": "r-1"})
    await client.delete("/memories/2")
    await client.delete("/memories/2")

    first = (await client.get("/audit", params={"limit": 1})).json()
    rest = (await client.get("/audit", params={"before": first["next"], "action": "delete"})).json()

    (newest,), (oldest,) = first["entries"], rest["entries"]
    assert (newest["coordinate"], oldest["coordinate"]) == ([2.0], [1.0])
    assert (oldest["action"], oldest["request_id"], newest["request_id"]) == ("delete", "r-1", None)
    assert oldest["caller"] == newest["caller"] != "service"
    assert "next" not in rest


@pytest.mark.parametrize(("level", "actions"), [("off", []), ("writes", ["delete"]), ("all", ["delete", "store"])])
async def test_the_level_says_what_is_written_down(world: World, level: str, actions: list[str]) -> None:
    world.records._audited = level != "off"
    async with world.client(SOMA_AUDIT=level) as client:
        await store(client, "1", fact="x")
        await client.delete("/memories/1")
    async with world.client() as client:
        entries = (await client.get("/audit")).json()["entries"]

    assert sorted(each["action"] for each in entries) == actions
    assert len({each["caller"] for each in entries}) <= 1


async def test_an_import_is_in_the_audit_as_one_row(client: httpx.AsyncClient) -> None:
    await store(client, "1", fact="x")
    lines = (await client.get("/export")).content

    await client.post("/import", content=lines)

    (row,) = (await client.get("/audit", params={"action": "import"})).json()["entries"]
    assert row["coordinate"] is None
    assert row["details"] == {"imported": 1, "removed": 0, "failed": 0, "replace": False, "complete": True}
