"""Durable single writes over HTTP, beside what Postgres itself does with one transaction each."""

import asyncio
import time
from typing import Any

import orjson
import psycopg

from tests.bench.corpus import fact
from tests.bench.load import drive, post

COUNT = 10_000
CONNECTIONS = 32


async def measure_writes(url: str, environment: dict[str, str]) -> dict[str, Any]:
    """Store distinct memories, then store them again."""

    def store(number: int) -> bytes:
        return post("/store", {"coord": f"{number},7", "payload": {"fact": fact(number), "number": number}})

    await drive(url, store, count=500, connections=CONNECTIONS)
    fresh = await drive(url, lambda number: store(number + 500), count=COUNT, connections=CONNECTIONS)
    again = await drive(url, store, count=COUNT // 2, connections=CONNECTIONS)
    return {"store_new": fresh, "store_again": again, "postgres_alone": await _postgres_alone(environment)}


async def _postgres_alone(environment: dict[str, str]) -> dict[str, Any]:
    """The same rows with one insert and one commit each."""
    numbers = iter(range(COUNT // 2))

    async def client() -> None:
        connection = await psycopg.AsyncConnection.connect(environment["POSTGRES_URL"], autocommit=True)
        async with connection:
            for number in numbers:
                payload = orjson.dumps({"fact": fact(number), "number": number}).decode()
                await connection.execute("insert into raw_writes values (%s, %s)", (number, payload))

    async with await psycopg.AsyncConnection.connect(environment["POSTGRES_URL"], autocommit=True) as connection:
        await connection.execute("create table raw_writes (id bigint primary key, payload jsonb not null)")
        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
        seconds = time.perf_counter() - began
        await connection.execute("drop table raw_writes")
    return {"per_second": round(COUNT // 2 / seconds), "connections": CONNECTIONS}
