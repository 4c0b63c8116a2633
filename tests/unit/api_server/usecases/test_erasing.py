"""Erasing a memory or a namespace from every store."""

from typing import Any

import httpx
import pytest

from somafractalmemory.adapters.local_locks import LocalLocks
from somafractalmemory.errors import Unavailable
from somafractalmemory.model import MemoryType, NewMemory, memory_id, new_memory
from somafractalmemory.usecases.erasing import Eraser
from tests.unit.api_server.conftest import World


def memory(number: int, namespace: str = "ns") -> NewMemory:
    return new_memory(
        namespace=namespace,
        coordinate=(float(number),),
        payload={"fact": f"a fact {number}"},
        memory_type=MemoryType.SEMANTIC,
        now=1.0,
    )


async def filled(world: World, count: int = 25) -> LocalLocks:
    """A namespace beside another one, a deleted memory and a lock in each."""
    memories = [memory(number, namespace) for namespace in ("ns", "other") for number in range(count)]
    await world.records.save(memories)
    await world.indexer.refresh([each.id for each in memories])
    await world.records.delete([memory(0, namespace).id for namespace in ("ns", "other")])
    await world.indexer.refresh([each.id for each in memories])
    locks = LocalLocks()
    for namespace in ("ns", "other"):
        await locks.take(f"{namespace}/a", owner="me", ttl_seconds=60.0)
    return locks


def eraser(world: World, locks: LocalLocks) -> Eraser:
    return Eraser(records=world.records, vectors=world.vectors, locks=locks, topics=["memory.events"], batch=4)


async def traces(world: World, namespace: str) -> int:
    states = [*await world.records.states.scan(None, 1000), *await world.vectors.states.scan(None, 1000)]
    return sum(state.namespace == namespace for state in states)


async def test_a_namespace_is_gone_from_every_store_and_its_neighbour_is_untouched(world: World) -> None:
    locks = await filled(world)
    seen: list[int] = []

    done = await eraser(world, locks).erase_namespace(
        "ns", progress=lambda done: seen.append(done.postgres["memories"])
    )

    assert done.complete
    assert (done.postgres["memories"], done.postgres["tombstones"]) == (24, 1)
    assert (done.index_entries, done.locks) == (25, 1)
    assert seen == sorted(seen)
    assert len(seen) == 8
    assert await traces(world, "ns") == 0
    assert await traces(world, "other") == 50
    assert await locks.take("other/a", owner="you", ttl_seconds=1.0) is None
    assert "retention" in done.as_json()["kafka"]["note"]


async def test_erasing_again_finds_nothing(world: World) -> None:
    locks = await filled(world)
    await eraser(world, locks).erase_namespace("ns")

    again = await eraser(world, locks).erase_namespace("ns")

    assert again.complete
    assert sum(again.postgres.values()) + again.index_entries + again.locks == 0


async def test_one_memory_is_erased_also_when_it_was_deleted_before(world: World) -> None:
    locks = await filled(world)

    living = await eraser(world, locks).erase_place("ns", (3.0,))
    deleted = await eraser(world, locks).erase_place("ns", (0.0,))
    nobody = await eraser(world, locks).erase_place("ns", (99.0,))

    assert (living.postgres["memories"], living.index_entries) == (1, 1)
    assert (deleted.postgres["tombstones"], deleted.index_entries) == (1, 1)
    assert nobody.complete
    assert sum(nobody.postgres.values()) == 0
    assert await traces(world, "ns") == 46


async def test_what_takes_too_long_stops_and_is_taken_up_again(world: World) -> None:
    locks = await filled(world)

    runs = 0
    while not (await eraser(world, locks).erase_namespace("ns", seconds=1e-9)).complete:
        runs += 1
        assert runs < 20

    assert runs >= 7
    assert await traces(world, "ns") == 0


async def test_an_index_that_is_away_is_reported_and_follows_by_the_events(world: World) -> None:
    locks = await filled(world)
    world.vectors.away = True

    done = await eraser(world, locks).erase_namespace("ns")

    assert not done.complete
    assert done.as_json()["qdrant"] == {"entries": 0, "reached": False}
    world.vectors.away = False
    await world.indexer.follow([event for _, event in await world.records.pending(1000)])
    assert (
        sum(state.namespace == "ns" and not state.deleted for state in await world.vectors.states.scan(None, 99)) == 0
    )
    assert (await eraser(world, locks).erase_namespace("ns")).complete
    assert await traces(world, "ns") == 0


async def test_without_the_truth_nothing_is_erased(world: World) -> None:
    locks = await filled(world)
    world.records.away = True

    with pytest.raises(Unavailable, match="postgres"):
        await eraser(world, locks).erase_namespace("ns")

    world.records.away = False
    assert await traces(world, "ns") == 50


async def test_entries_that_the_truth_never_knew_go_too(world: World) -> None:
    locks = await filled(world, 3)
    world.records._rows.pop(memory(1).id)

    assert (await eraser(world, locks).erase_namespace("ns")).index_entries == 3
    assert await traces(world, "ns") == 0


async def erased(client: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await client.post("/erase", json=body, headers=headers)


async def test_over_http_a_memory_is_erased_with_a_report(client: httpx.AsyncClient, world: World) -> None:
    await client.post("/store", json={"coord": "1,2", "payload": {"fact": "x"}})
    await client.post("/store", json={"coord": "3,4", "payload": {"fact": "y"}})

    answer = await erased(client, {"coord": "1,2"})

    assert answer.status_code == 200
    assert answer.json()["complete"]
    assert answer.json()["postgres"]["memories"] == 1
    assert answer.json()["qdrant"] == {"entries": 1, "reached": True}
    assert (await client.get("/memories/1,2")).status_code == 404
    assert await world.records.get([memory_id("api_ns", (1.0, 2.0))]) == {}
    assert (await client.get("/stats")).json()["total_memories"] == 1


async def test_over_http_a_namespace_is_named_twice(client: httpx.AsyncClient) -> None:
    await client.post("/store", json={"coord": "1,2", "payload": {"fact": "x"}}, headers={"x-soma-namespace": "mine"})

    slip = await erased(client, {"namespace": "mine"})
    meant = await erased(client, {"namespace": "mine"}, **{"x-soma-namespace": "mine"})

    assert slip.status_code == 422
    assert "X-Soma-Namespace" in slip.json()["detail"]
    assert meant.json()["postgres"]["memories"] == 1


@pytest.mark.parametrize("body", [{}, {"coord": "1", "namespace": "x"}, {"coord": "a"}, {"coord": "1", "more": 1}])
async def test_over_http_what_is_to_be_erased_must_be_clear(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await erased(client, body)).status_code == 422
