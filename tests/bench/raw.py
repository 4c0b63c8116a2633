"""What the stores do without us, with the same data, measured in the same run."""

import asyncio
import time
from typing import Any

import httpx
import orjson
import psycopg

from somafractalmemory.adapters.embedding import HashEmbedder
from somafractalmemory.adapters.qdrant_wire import LAYOUT, searches_of, upserts
from somafractalmemory.model import Point, memory_id
from somafractalmemory.ports import Search
from tests.bench.corpus import fact, question
from tests.bench.load import BULK, memory, percentiles

NAMESPACE = "api_ns"
_MANY = "insert into raw_writes select %s + n, p::jsonb from unnest(%s::text[]) with ordinality as r (p, n)"
EMBEDDER = HashEmbedder(768)


async def postgres_single(url: str, *, count: int, connections: int) -> dict[str, Any]:
    """One insert and one commit each."""
    numbers = iter(range(count))

    async def client() -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            for number in numbers:
                row = (number, orjson.dumps(memory(number)["payload"]).decode())
                await connection.execute("insert into raw_writes values (%s, %s)", row)

    return {"per_second": await _with_table(url, client, count, connections), "connections": connections}


async def postgres_bulk(url: str, *, count: int) -> dict[str, Any]:
    """Statements of many rows, one commit each."""
    starts = iter(range(0, count, BULK))

    async def client() -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            for start in starts:
                rows = [orjson.dumps(memory(number)["payload"]).decode() for number in range(start, start + BULK)]
                await connection.execute(_MANY, (start, rows))

    return {"per_second": await _with_table(url, client, count, 2), "connections": 2}


async def _with_table(url: str, client: Any, count: int, connections: int) -> int:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("create table raw_writes (id bigint primary key, payload jsonb not null)")
        try:
            began = time.perf_counter()
            await asyncio.gather(*(client() for _ in range(connections)))
            return round(count / (time.perf_counter() - began))
        finally:
            await connection.execute("drop table raw_writes")


def qdrant(environment: dict[str, str]) -> httpx.AsyncClient:
    """A client at the collection."""
    collection = f"{environment['QDRANT_COLLECTION']}_{EMBEDDER.revision}_{LAYOUT}"
    return httpx.AsyncClient(
        base_url=f"{environment['QDRANT_URL']}/collections/{collection}",
        headers={"api-key": environment["QDRANT_API_KEY"], "content-type": "application/json"},
        trust_env=False,
        timeout=60,
    )


async def index_queries(environment: dict[str, str], *, count: int) -> dict[str, Any]:
    """The two searches of a recall, one request after the other."""
    seconds = []
    async with qdrant(environment) as client:
        for number in range(count):
            searches = searches_of(await EMBEDDER.query(question(number)), Search(NAMESPACE, None, {}, 30), hybrid=True)
            body = orjson.dumps({"searches": searches}, option=orjson.OPT_SERIALIZE_NUMPY)
            started = time.perf_counter()
            (await client.post("/points/query/batch", content=body)).raise_for_status()
            seconds.append(time.perf_counter() - started)
    return {"per_second": round(count / sum(seconds)), "connections": 1, **percentiles(seconds)}


async def index_upserts(environment: dict[str, str], *, count: int) -> dict[str, Any]:
    """Points of a namespace of their own, embedded and encoded before the clock starts."""
    bodies = []
    for start in range(0, count, BULK):
        numbers = range(start, start + BULK)
        embeddings = await EMBEDDER.documents([fact(number) for number in numbers])
        points = [
            Point(memory_id("raw", (float(number),)), "raw", "episodic", 1, embedding, [])
            for number, embedding in zip(numbers, embeddings, strict=True)
        ]
        bodies += list(upserts(points, 8 << 20))
    async with qdrant(environment) as client:
        began = time.perf_counter()
        for body in bodies:
            (await client.post("/points/batch?wait=true", content=body)).raise_for_status()
        seconds = time.perf_counter() - began
        done = {"must": [{"key": "namespace", "match": {"value": "raw"}}]}
        await client.post("/points/delete?wait=true", content=orjson.dumps({"filter": done}))
    return {"per_second": round(count / seconds), "connections": 1}
