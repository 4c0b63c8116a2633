"""Remembering without a question, and learning from what was, over HTTP."""

import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.local import LocalRecords, LocalVectors
from somafractalmemory.model import MemoryType
from somafractalmemory.model.ranking import Weights
from somafractalmemory.security.sealing import Seal, read_keys
from somafractalmemory.service import MemoryService
from somafractalmemory.usecases.consolidating import derived_coordinate
from somafractalmemory.usecases.rules import Rules
from tests.unit.api_server.conftest import World


async def stored(client: httpx.AsyncClient, coord: str, *, type: str = "episodic", **payload: Any) -> None:  # noqa: A002
    answer = await client.post("/store", json={"coord": coord, "payload": payload, "type": type})
    assert answer.status_code == 200, answer.text


async def places(client: httpx.AsyncClient, path: str, **parameters: Any) -> list[list[float]]:
    answer = await client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return [memory["coordinate"] for memory in answer.json()["memories"]]


async def memory(client: httpx.AsyncClient, coord: str) -> dict[str, Any]:
    answer = await client.get(f"/memories/{coord}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def joined(coordinate: list[float]) -> str:
    return ",".join(map(repr, coordinate))


async def test_the_latest_come_first(client: httpx.AsyncClient) -> None:
    await stored(client, "1", timestamp=100)
    await stored(client, "2", timestamp=300)
    await stored(client, "3", timestamp=200)
    await stored(client, "4", type="semantic", timestamp=250)

    assert await places(client, "/recent") == [[2.0], [4.0], [3.0], [1.0]]
    assert await places(client, "/recent", n=1) == [[2.0]]
    assert await places(client, "/recent", type="semantic") == [[4.0]]


async def test_the_most_important_come_first(client: httpx.AsyncClient) -> None:
    await stored(client, "1", importance=2)
    await stored(client, "2", importance=10)
    await stored(client, "3")

    assert await places(client, "/important") == [[2.0], [1.0], [3.0]]
    assert await places(client, "/important", n=2, type="episodic") == [[2.0], [1.0]]


@pytest.mark.parametrize("path", ["/replay", "/reflect"])
async def test_a_sample_is_drawn_by_chance(client: httpx.AsyncClient, path: str) -> None:
    for n in range(20):
        await stored(client, str(n), fact="x")

    drawn = {tuple(map(tuple, await places(client, path, n=5))) for _ in range(20)}

    assert len(drawn) > 1
    assert all(len(set(sample)) == 5 for sample in drawn)
    assert len(await places(client, path)) == 5


async def test_an_outcome_is_noted_and_everything_else_of_the_memory_stays(client: httpx.AsyncClient) -> None:
    await stored(client, "1,2", forecast="tomorrow", predicted_outcome="rain", timestamp=50)

    answer = await client.post("/outcome", json={"coord": "1,2", "outcome": "rain"})

    assert answer.json() == {"ok": True, "version": 2, "error": False, "correction": None, "indexed": True}
    noted = await memory(client, "1,2")
    assert noted["payload"] == {
        "forecast": "tomorrow",
        "predicted_outcome": "rain",
        "timestamp": 50,
        "reported_outcome": "rain",
        "error": False,
    }
    assert (noted["memory_type"], noted["timestamp"]) == ("episodic", 50.0)


async def test_a_wrong_prediction_leaves_a_correction_beside_the_memory(client: httpx.AsyncClient) -> None:
    """The original program stored the correction over the memory. (core defect 17)"""
    await stored(client, "1,2", forecast="tomorrow", predicted_outcome={"sky": "rain"})

    first = (await client.post("/outcome", json={"coord": "1,2", "outcome": {"sky": "sun", "wind": None}})).json()
    again = (await client.post("/outcome", json={"coord": "1,2", "outcome": {"sky": "snow"}})).json()

    original = await memory(client, "1,2")
    assert original["memory_type"] == "episodic"
    assert original["payload"]["forecast"] == "tomorrow"
    assert original["payload"]["reported_outcome"] == {"sky": "snow"}
    assert original["payload"]["error"] is True
    assert first["correction"] == again["correction"] != [1.0, 2.0]
    correction = await memory(client, joined(first["correction"]))
    assert correction["memory_type"] == "semantic"
    assert correction["payload"]["corrective_for"] == [1.0, 2.0]
    assert correction["payload"]["correction"] == {"sky": "snow"}
    assert correction["payload"]["original_payload"]["predicted_outcome"] == {"sky": "rain"}
    neighbors = (await client.get("/neighbors", params={"coord": joined(first["correction"])})).json()["neighbors"]
    assert [(to, link["type"]) for to, link in neighbors] == [([1.0, 2.0], "corrects")]


@pytest.mark.parametrize(("predicted", "happened", "wrong"), [(1, 1.0, False), (1, True, True), ("1", 1, True)])
async def test_outcomes_are_compared_as_json(
    client: httpx.AsyncClient, predicted: object, happened: object, wrong: bool
) -> None:
    await stored(client, "1", predicted_outcome=predicted)

    answer = await client.post("/outcome", json={"coord": "1", "outcome": happened})

    assert answer.json()["error"] is wrong


async def test_an_outcome_of_nothing_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.post("/outcome", json={"coord": "1", "outcome": None})

    assert answer.status_code == 404


async def test_a_correction_of_a_memory_at_the_limits_goes_without_its_copy(client: httpx.AsyncClient) -> None:
    deep: Any = "x"
    for _ in range(31):
        deep = [deep]
    await stored(client, "1", deep=deep, predicted_outcome="a")

    answer = (await client.post("/outcome", json={"coord": "1", "outcome": "b"})).json()

    assert "original_payload" not in (await memory(client, joined(answer["correction"])))["payload"]


async def test_consolidating_draws_facts_and_keeps_the_episodes(client: httpx.AsyncClient) -> None:
    """The original program stored the fact over its episode. (core defect 17)"""
    now = time.time()
    await stored(client, "1", task="feed the cat", timestamp=now - 10, importance=3)
    await stored(client, "2", note="it purred", timestamp=now - 20)
    await stored(client, "3", task="long ago", timestamp=now - 7200)
    await stored(client, "4", type="semantic", fact="cats purr")

    done = (await client.post("/consolidate", json={"window_seconds": 3600})).json()

    assert done == {"stored": 2, "unchanged": 0, "complete": True, "indexed": True}
    assert (await memory(client, "1"))["payload"]["task"] == "feed the cat"
    facts = (await client.get("/recent", params={"type": "semantic"})).json()["memories"]
    drawn = {fact["payload"]["fact"]: fact for fact in facts if "source_coord" in fact["payload"]}
    assert drawn.keys() == {"feed the cat", "it purred"}
    fact = drawn["feed the cat"]
    assert fact["payload"]["source_coord"] == [1.0]
    assert fact["importance"] == 3
    neighbors = (await client.get("/neighbors", params={"coord": joined(fact["coordinate"])})).json()["neighbors"]
    assert [(to, link["type"]) for to, link in neighbors] == [([1.0], "consolidates")]


async def test_consolidating_again_changes_only_what_changed(client: httpx.AsyncClient) -> None:
    await stored(client, "1", task="feed the cat")
    await stored(client, "2", task="feed the dog")
    await client.post("/consolidate", json={})
    await stored(client, "2", task="walk the dog")

    done = (await client.post("/consolidate", json={})).json()

    assert (done["stored"], done["unchanged"], done["complete"]) == (1, 1, True)
    facts = (await client.get("/recent", params={"type": "semantic"})).json()["memories"]
    assert {(fact["payload"]["fact"], fact["version"]) for fact in facts} == {("feed the cat", 1), ("walk the dog", 2)}


async def test_consolidating_goes_on_where_its_limit_stopped_it(client: httpx.AsyncClient) -> None:
    for n in range(5):
        await stored(client, str(n), task=f"task {n}")

    rounds = [(await client.post("/consolidate", json={"limit": 2})).json() for _ in range(3)]

    assert [done["stored"] for done in rounds] == [2, 2, 1]
    assert [done["complete"] for done in rounds] == [False, False, True]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/recent?n=0", None),
        ("GET", "/important?n=1001", None),
        ("GET", "/replay?type=other", None),
        ("GET", "/reflect?m=1", None),
        ("POST", "/outcome", {"coord": "1"}),
        ("POST", "/outcome", {"coord": "x", "outcome": 1}),
        ("POST", "/consolidate", {"window_seconds": -1}),
        ("POST", "/consolidate", {"limit": 0}),
    ],
)
async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    answer = await client.request(method, path, json=body)

    assert answer.status_code == 422, answer.text


async def test_an_outcome_with_what_no_store_holds_is_refused(client: httpx.AsyncClient) -> None:
    await stored(client, "1", fact="x")

    answer = await client.post("/outcome", json={"coord": "1", "outcome": "a\x00b"})

    assert answer.status_code == 422


async def test_another_namespace_is_not_touched(world: World) -> None:
    async with world.client() as client:
        await stored(client, "1", task="mine")
        other = {"x-soma-namespace": "other"}

        assert (await client.get("/recent", headers=other)).json() == {"memories": []}
        assert (await client.get("/replay", headers=other)).json() == {"memories": []}
        done = await client.post("/consolidate", json={}, headers=other)
        noted = await client.post("/outcome", json={"coord": "1", "outcome": 1}, headers=other)

        assert done.json()["stored"] == 0
        assert noted.status_code == 404


async def test_secret_fields_stay_secret_in_what_is_learned(tmp_path: Path) -> None:
    """What is sealed by its name is not copied to another one, where everybody could read it. (core defect 22)"""
    key = tmp_path / "keys"
    key.write_text(urlsafe_b64encode(bytes(32)).decode())
    seal = Seal(read_keys(key), ["task"])
    records, now = LocalRecords(), 1000.0
    async with MemoryService(
        records=records,
        vectors=LocalVectors(),
        embedder=HashEmbedder(64),
        weights=Weights(),
        clock=lambda: now,
        rules=Rules(seal=seal),
    ) as service:
        where: Any = {"namespace": "here", "coordinate": (1.0,)}
        payload = {"task": "hunter2", "note": "open", "predicted_outcome": "a"}
        await service.remember(**where, payload=payload, memory_type=MemoryType.EPISODIC)
        noted = await service.consolidating.report_outcome(**where, outcome="b")
        await service.consolidating.consolidate(namespace="here", window_seconds=60)
        assert noted.correction is not None
        fact = await service.look_up(namespace="here", coordinate=derived_coordinate((1.0,), "consolidates"))

    kept = [row.payload for row in (await records.get(list(await all_ids(records)))).values()]
    assert len(kept) == 3
    assert "hunter2" not in repr(kept)
    assert fact.payload["task"] == "hunter2"
    assert fact.payload["fact"].startswith("open")


async def all_ids(records: LocalRecords) -> list[UUID]:
    return [memory.id for memory in await records.scan(None, 100)]
