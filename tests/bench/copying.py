"""The index follows the truth: the consumer's speed over Kafka, and that of a rebuild after the index was lost."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
from confluent_kafka import Consumer

from tests.bench import raw
from tests.bench.deployment import Deployment
from tests.bench.load import fill, median
from tests.integration.api.programs import Program

EVENTS = 20_000
_DEADLINE_SECONDS = 300.0


async def measure_consumer(deployment: Deployment, runs: int) -> dict[str, Any]:
    """Events that wait in Kafka until a consumer starts: once as they are, once over an index that lost them all."""

    async def one(run: int, *, lost: bool) -> dict[str, Any]:
        first = (2 * run + lost) * EVENTS
        await fill(deployment.url, first, EVENTS)
        await _until(lambda: _value(deployment.api, "soma_outbox_rows"), lambda rows: rows == 0)
        if lost:
            async with raw.qdrant(deployment.environment) as client:
                anything = {"filter": {"must": [{"key": "namespace", "match": {"value": raw.NAMESPACE}}]}}
                (await client.post("/points/delete?wait=true", json=anything)).raise_for_status()
        with deployment.consuming():
            return await _rate(deployment, "consumer_process_success_total", "cpu_us_per_event")

    known = await median(runs, lambda run: one(run, lost=False))
    unknown = await median(1, lambda _: one(runs, lost=True))
    alone = await asyncio.to_thread(_kafka_alone, deployment.environment["KAFKA_BOOTSTRAP_SERVERS"])
    return {"indexed_already": known, "not_indexed_yet": unknown, "kafka_alone": alone}


async def measure_rebuild(deployment: Deployment, runs: int) -> dict[str, Any]:
    """Delete the collection, and watch it being filled again from Postgres."""
    await fill(deployment.url, 0, EVENTS)

    async def one(_: int) -> dict[str, Any]:
        async with raw.qdrant(deployment.environment) as client:
            (await client.delete("")).raise_for_status()
        with deployment.consuming():
            return await _rate(deployment, "soma_index_rebuilt_memories_total", "cpu_us_per_memory")

    rebuilt = await median(runs, one)
    alone = await raw.index_upserts(deployment.environment, count=EVENTS)
    return {
        "rebuild": rebuilt,
        "postgres_read_alone": await _read_alone(deployment.environment["POSTGRES_URL"]),
        "index_alone": alone,
        "of_index_alone": round(rebuilt["per_second"] / alone["per_second"], 2),
    }


async def _rate(deployment: Deployment, metric: str, cpu: str) -> dict[str, Any]:
    """From the first that the consumer counts to the last."""
    counted = await _until(lambda: _value(deployment.consumer, metric), lambda value: value > 0)
    began, meter = time.perf_counter(), deployment.meter()
    await _until(lambda: _value(deployment.consumer, metric), lambda value: value >= EVENTS)
    left = round(EVENTS - counted)
    return {"per_second": round(left / (time.perf_counter() - began)), cpu: meter.per(left)}


async def _until(look: Callable[[], float], good: Callable[[float], bool]) -> float:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not good(value := await asyncio.to_thread(look)):
        assert time.monotonic() < deadline, f"still {value} after {_DEADLINE_SECONDS:g} s"
        await asyncio.sleep(0.05)
    return value


def _value(program: Program | None, metric: str) -> float:
    """The sum of a metric over its labels."""
    assert program is not None
    lines = program.client.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith((f"{metric} ", f"{metric}{{")))


async def _read_alone(url: str) -> dict[str, Any]:
    began = time.perf_counter()
    async with await psycopg.AsyncConnection.connect(url) as connection:
        rows = await (await connection.execute("select id, payload from memories order by id")).fetchall()
    return {"per_second": round(len(rows) / (time.perf_counter() - began))}


def _kafka_alone(bootstrap: str) -> dict[str, Any]:
    """Read what is there, and do nothing with it."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": f"bench-{uuid4().hex[:8]}", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["memory.events"])
    try:
        read = len(consumer.consume(1, 30))
        began = time.perf_counter()
        while read < EVENTS:
            read += len(found := consumer.consume(500, 5))
            assert found, f"only {read} events came"
        return {"per_second": round(read / (time.perf_counter() - began))}
    finally:
        consumer.close()
