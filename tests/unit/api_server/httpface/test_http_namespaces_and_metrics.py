"""Settings that the original hid from itself, and metrics that it declared and never counted."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from somafractalmemory.settings import load_settings
from tests.unit.api_server.conftest import World


def test_no_default_hides_what_the_environment_says() -> None:
    """(http defect 9)"""
    settings = load_settings({"SOMA_MEMORY_NAMESPACE": "mine", "QDRANT_HOST": "index.example"})

    assert settings.namespace == "mine"
    assert settings.qdrant_address == "http://index.example:6333"


async def test_memories_live_in_the_namespace_of_the_settings(world: World) -> None:
    """(http defect 9)"""
    async with world.client(SOMA_MEMORY_NAMESPACE="mine") as client:
        await client.post("/store", json={"coord": "1", "payload": {"fact": "x"}})

    assert {row.namespace for row in world.records._rows.values()} == {"mine"}


def test_a_password_or_tls_in_the_address_of_redis_stays() -> None:
    """(http defect 24)"""
    settings = load_settings({"REDIS_URL": "rediss://user:p%40ss@cache.example:6380/2"})

    assert settings.redis_address == "rediss://user:p%40ss@cache.example:6380/2"


async def shown(client: httpx.AsyncClient, name: str, **labels: str) -> float:
    """What the metrics say now of all series with these labels."""
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    samples = (sample for family in families for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


async def test_stored_memories_are_counted_and_shown(client: httpx.AsyncClient) -> None:
    """(http defect 18) (S-12)"""
    headers = {"x-soma-namespace": "counted"}
    before = await shown(client, "soma_memory_store_total", namespace="counted")

    await client.post("/store", json={"coord": "1", "payload": {}}, headers=headers)
    items = [{"coord": str(n), "payload": {}} for n in range(2, 5)]
    await client.post("/store_bulk", json={"items": items}, headers=headers)

    assert await shown(client, "soma_memory_store_total", namespace="counted") - before == 4


async def test_what_fails_is_counted_too(client: httpx.AsyncClient, world: World) -> None:
    """(http defect 18)"""
    counters = ("soma_index_failures_total", "soma_degraded_recalls_total")
    before = [await shown(client, name) for name in counters]

    world.vectors.away = True
    await client.post("/store", json={"coord": "1", "payload": {"fact": "x"}})
    await client.post("/recall", json={"query": "x"})

    assert [await shown(client, name) - was for name, was in zip(counters, before, strict=True)] == [1, 1]
