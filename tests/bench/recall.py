"""Recall in namespaces of several sizes, beside what the index itself needs for the same two searches."""

from collections.abc import Callable, Coroutine
from typing import Any

import httpx

from somafractalmemory.model import memory_id
from tests.bench import raw
from tests.bench.corpus import question
from tests.bench.deployment import Deployment
from tests.bench.load import drive, fill, median, post, store
from tests.integration.api.programs import TOKEN

RECALLS = 2000


def measure_recall(memories: int) -> Callable[[Deployment, int], Coroutine[Any, Any, dict[str, Any]]]:
    """Fill a namespace, then recall at 200 a second and as fast as it goes."""

    def recall(number: int) -> bytes:
        return post("/recall", {"query": question(number * 7 % memories), "top_k": 5})

    async def measure(deployment: Deployment, runs: int) -> dict[str, Any]:
        await fill(deployment.url, 0, memories)
        await deployment.settle()
        await drive(deployment.url, recall, count=300, connections=8)

        async def one(rate: float | None) -> dict[str, Any]:
            meter = deployment.meter()
            done = await drive(deployment.url, recall, count=RECALLS, connections=16, rate=rate)
            return {**done, "cpu_us_per_recall": meter.per(RECALLS)}

        at_200 = await median(runs, lambda _: one(200.0))
        peak = await median(runs, lambda _: one(None))
        alone = await raw.index_queries(deployment.environment, count=500)
        return {
            "memories": memories,
            "at_200_per_second": at_200,
            "peak": peak,
            "index_alone": alone,
            "p50_of_index_alone": round(at_200["p50_ms"] / alone["p50_ms"], 2),
            "found_first": await _found_first(deployment.url, memories),
        }

    return measure


async def measure_mixed(deployment: Deployment, runs: int) -> dict[str, Any]:
    """Four recalls to one store, in a namespace of 5,000."""
    await fill(deployment.url, 0, 5000)

    async def one(run: int) -> dict[str, Any]:
        def request(number: int) -> bytes:
            if number % 5 == 0:
                return store(1_000_000 * (run + 1) + number)
            return post("/recall", {"query": question(number * 7 % 5000), "top_k": 5})

        meter = deployment.meter()
        done = await drive(deployment.url, request, count=RECALLS, connections=16)
        return {**done, "cpu_us_per_request": meter.per(RECALLS)}

    mixed = await median(runs, one)
    return {
        "mixed": mixed,
        "index_alone": await raw.index_queries(deployment.environment, count=500),
        "postgres_alone": await raw.postgres_single(deployment.environment["POSTGRES_URL"], count=4000, connections=16),
    }


async def _found_first(url: str, memories: int) -> float:
    """How often the memory that was asked for comes first."""
    hits = 0
    async with httpx.AsyncClient(
        base_url=url, headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=10
    ) as client:
        for number in range(200):
            wanted = number * 31 % memories
            answer = await client.post("/recall", json={"query": question(wanted), "top_k": 1})
            (match,) = answer.json()["matches"]
            place = memory_id(raw.NAMESPACE, (float(wanted), 7.0))
            hits += memory_id(raw.NAMESPACE, tuple(match["coordinate"])) == place
    return hits / 200
