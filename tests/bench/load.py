"""A client that costs little: HTTP/1.1 over kept connections, prepared bytes out, status and length in."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.bench.corpus import fact
from tests.integration.api.programs import TOKEN

BULK = 500


def post(path: str, body: Any) -> bytes:
    """The bytes of a request."""
    content = orjson.dumps(body)
    lines = [
        f"POST {path} HTTP/1.1",
        "host: bench",
        f"authorization: Bearer {TOKEN}",
        f"content-length: {len(content)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


def store(number: int) -> bytes:
    """POST /store of one memory."""
    return post("/store", memory(number))


def memory(number: int) -> dict[str, Any]:
    """Number, place and fact."""
    return {"coord": f"{number},7", "payload": {"fact": fact(number), "number": number}}


async def drive(
    url: str, request: Callable[[int], bytes], *, count: int, connections: int, rate: float | None = None
) -> dict[str, Any]:
    """Send `count` requests over `connections`, at `rate` a second when given; what came back and how fast."""
    parts = urlsplit(url)
    numbers = iter(range(count))
    seconds: list[float] = []
    statuses: dict[str, int] = {}
    began = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for number in numbers:
            content = request(number)
            due = time.perf_counter()
            if rate is not None:  # from when it was due: a late start is the service's fault, too
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(content)
            status = await _status(reader)
            seconds.append(time.perf_counter() - due)
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    return {
        "per_second": round(count / (time.perf_counter() - began)),
        **percentiles(seconds),
        "count": count,
        "connections": connections,
        "statuses": statuses,
    }


async def fill(url: str, first: int, count: int) -> None:
    """Memories in bulk. Raises AssertionError unless all were stored and indexed."""

    def bulk(number: int) -> bytes:
        start = first + number * BULK
        return post("/store_bulk", {"items": [memory(at) for at in range(start, min(start + BULK, first + count))]})

    done = await drive(url, bulk, count=-(-count // BULK), connections=2)
    assert done["statuses"].keys() <= {"200"}, done


async def median(runs: int, measure: Callable[[int], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """The run whose rate is the median, and the rates of all."""
    results = [await measure(run) for run in range(runs)]
    ordered = sorted(results, key=lambda result: float(result["per_second"]))
    return {**ordered[len(ordered) // 2], "per_second_of_each_run": [result["per_second"] for result in results]}


async def _status(reader: asyncio.StreamReader) -> str:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    return head.split(b" ", 2)[1].decode()


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Milliseconds."""
    if len(seconds) < 2:
        return {}
    cuts = statistics.quantiles(seconds, n=100)
    return {f"p{at}_ms": round(cuts[at - 1] * 1000, 2) for at in (50, 95, 99)}
