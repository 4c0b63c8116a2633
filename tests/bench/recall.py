"""Recall in a namespace of 20,000 memories, beside what the index itself needs for the same two searches."""

import time
from typing import Any

import httpx
import orjson

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.model import memory_id
from tests.bench.corpus import fact, question
from tests.bench.load import drive, percentiles, post

MEMORIES = 20_000
RECALLS = 2000


async def measure_recall(url: str, environment: dict[str, str]) -> dict[str, Any]:
    """Fill the namespace, then recall at 200 a second and as fast as it goes."""

    def store(number: int) -> bytes:
        return post("/store", {"coord": f"{number}", "payload": {"fact": fact(number)}})

    def recall(number: int) -> bytes:
        return post("/recall", {"query": question(number * 7 % MEMORIES), "top_k": 5})

    filling = await drive(url, store, count=MEMORIES, connections=32)
    await drive(url, recall, count=200, connections=8)
    return {
        "filling": filling,
        "at_200_per_second": await drive(url, recall, count=RECALLS, connections=16, rate=200),
        "peak": await drive(url, recall, count=RECALLS, connections=16),
        "index_alone": await _index_alone(environment),
        "found_first": await _found_first(url),
    }


async def _index_alone(environment: dict[str, str]) -> dict[str, Any]:
    embedder = HashEmbedder(768)
    seconds = []
    async with httpx.AsyncClient(
        base_url=environment["QDRANT_URL"], headers={"api-key": environment["QDRANT_API_KEY"]}, trust_env=False
    ) as client:
        path = f"/collections/{environment['QDRANT_COLLECTION']}_{embedder.revision}/points/query/batch"
        for number in range(300):
            embedding = await embedder.query(question(number))
            common = {
                "filter": {"must": [{"key": "namespace", "match": {"value": "api_ns"}}]},
                "limit": 30,
                "with_payload": ["version"],
            }
            terms = {"indices": embedding.sparse.indices, "values": embedding.sparse.values}
            body = orjson.dumps(
                {
                    "searches": [
                        {"query": embedding.dense, "using": "dense", **common},
                        {"query": terms, "using": "bm25", **common},
                    ]
                },
                option=orjson.OPT_SERIALIZE_NUMPY,
            )
            started = time.perf_counter()
            (await client.post(path, content=body)).raise_for_status()
            seconds.append(time.perf_counter() - started)
    return {"count": len(seconds), "connections": 1, **percentiles(seconds)}


async def _found_first(url: str) -> float:
    """How often the memory that was asked for comes first."""
    from tests.integration.api.programs import TOKEN  # noqa: PLC0415

    hits = 0
    async with httpx.AsyncClient(
        base_url=url, headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=10
    ) as client:
        for number in range(200):
            answer = await client.post("/recall", json={"query": question(number * 31), "top_k": 1})
            (match,) = answer.json()["matches"]
            hits += memory_id("api_ns", tuple(match["coordinate"])) == memory_id("api_ns", (float(number * 31),))
    return hits / 200
