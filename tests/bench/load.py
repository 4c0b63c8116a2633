"""A client that costs little: HTTP/1.1 over kept connections, prepared bytes out, status and length in."""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.integration.api.programs import TOKEN


def post(path: str, body: dict[str, Any]) -> bytes:
    """The bytes of a request."""
    content = orjson.dumps(body)
    lines = [
        f"POST {path} HTTP/1.1",
        "host: bench",
        f"authorization: Bearer {TOKEN}",
        f"content-length: {len(content)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


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
            if rate is not None:
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            content = request(number)
            started = time.perf_counter()
            writer.write(content)
            status = await _status(reader)
            seconds.append(time.perf_counter() - started)
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    return {
        "count": count,
        "connections": connections,
        "per_second": round(count / (time.perf_counter() - began)),
        "statuses": statuses,
        **percentiles(seconds),
    }


async def _status(reader: asyncio.StreamReader) -> str:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    return head.split(b" ", 2)[1].decode()


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return {f"p{at}_ms": round(cuts[at - 1] * 1000, 2) for at in (50, 95, 99)}
