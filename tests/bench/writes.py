"""Writes: one at a time, durable, over HTTP; in bulk; and whether they slow down as the memory grows."""

from typing import Any

from tests.bench import raw
from tests.bench.deployment import Deployment
from tests.bench.load import BULK, drive, fill, median, memory, post, store

CONNECTIONS = 32
SINGLES = 6000
BULKED = 20_000


async def measure_writes(deployment: Deployment, runs: int) -> dict[str, Any]:
    """Store distinct memories, beside one insert and one commit each in Postgres itself."""
    await drive(deployment.url, lambda number: store(number + 50_000_000), count=500, connections=CONNECTIONS)
    new = await median(runs, lambda run: _singles(deployment, first=run * SINGLES))
    again = await median(1, lambda _: _singles(deployment, first=0))
    alone = await raw.postgres_single(deployment.environment["POSTGRES_URL"], count=SINGLES, connections=CONNECTIONS)
    ratio = round(new["per_second"] / alone["per_second"], 2)
    return {"new": new, "again": again, "postgres_alone": alone, "of_postgres_alone": ratio}


async def _singles(deployment: Deployment, *, first: int, count: int = SINGLES) -> dict[str, Any]:
    meter = deployment.meter()
    done = await drive(deployment.url, lambda number: store(first + number), count=count, connections=CONNECTIONS)
    return {**done, "cpu_us_per_write": meter.per(count)}


async def measure_bulk(deployment: Deployment, runs: int) -> dict[str, Any]:
    """Store 500 a request, each found by recall once it is answered; beside both stores alone."""

    async def one(run: int) -> dict[str, Any]:
        def bulk(number: int) -> bytes:
            start = run * BULKED + number * BULK
            return post("/store_bulk", {"items": [memory(at) for at in range(start, start + BULK)]})

        bodies = [bulk(number) for number in range(BULKED // BULK)]
        meter = deployment.meter()
        done = await drive(deployment.url, lambda number: bodies[number], count=len(bodies), connections=2)
        return done | {"per_second": done["per_second"] * BULK, "cpu_us_per_memory": meter.per(BULKED)}

    await fill(deployment.url, 50_000_000, 1000)
    bulk = await median(runs, one)
    postgres = await raw.postgres_bulk(deployment.environment["POSTGRES_URL"], count=BULKED)
    index = await raw.index_upserts(deployment.environment, count=BULKED)
    ratio = round(bulk["per_second"] * (1 / postgres["per_second"] + 1 / index["per_second"]), 2)
    return {"bulk": bulk, "postgres_alone": postgres, "index_alone": index, "of_both_alone": ratio}


async def measure_growth(deployment: Deployment, runs: int) -> dict[str, Any]:
    """The same writes with 1,000 and with 100,000 memories in the namespace."""
    await fill(deployment.url, 50_000_000, 1000)
    await deployment.settle()
    small = await median(runs, lambda run: _singles(deployment, first=run * 2000, count=2000))
    small_alone = await raw.postgres_single(
        deployment.environment["POSTGRES_URL"], count=SINGLES, connections=CONNECTIONS
    )
    await fill(deployment.url, 60_000_000, 100_000)
    await deployment.settle()
    large = await median(runs, lambda run: _singles(deployment, first=10_000_000 + run * 2000, count=2000))
    large_alone = await raw.postgres_single(
        deployment.environment["POSTGRES_URL"], count=SINGLES, connections=CONNECTIONS
    )
    return {
        "at_1k": small | {"postgres_alone": small_alone},
        "at_100k": large | {"postgres_alone": large_alone},
        "time_ratio": round(small["per_second"] / large["per_second"], 2),
        "cpu_ratio": round(large["cpu_us_per_write"]["all"] / small["cpu_us_per_write"]["all"], 2),
    }
