"""Lines of JSON (NDJSON) as they come and go: no more than one line, or one portion, is held at a time."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from somafractalmemory.errors import InvalidRequest, SlowBody, SomaError

log = structlog.get_logger(__name__)

NDJSON = "application/x-ndjson"
MAX_ITEM_LINE = 5 * 1024 * 1024
_SEND_SECONDS = 60.0
Line = bytes | InvalidRequest
"""A line without its end, or why it could not be read."""


async def lines_of(request: Request, *, limit: int) -> AsyncIterator[Line]:
    """Every line of the body; one longer than `limit` bytes is passed over. Raises SlowBody."""
    parts: list[bytes] = []
    size = 0
    async for chunk in _chunks(request, request.app.state.runtime.settings.body_timeout_seconds):
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            yield _line([*parts, piece], size + len(piece), limit)
            parts, size = [], 0
        size += len(rest)
        if size <= limit:
            parts.append(rest)
        else:
            parts = []  # only its length is still of interest
    if size:
        yield _line(parts, size, limit)


def _line(parts: list[bytes], size: int, limit: int) -> Line:
    return InvalidRequest(f"a line has at most {limit} bytes") if size > limit else b"".join(parts)


async def _chunks(request: Request, seconds: float) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise SlowBody(f"nothing came for {seconds:g} s") from None
        if chunk is None:
            return
        yield chunk


class LinesResponse(Response):
    """Sends portions of lines as fast as the client takes them; a stream that breaks off never looks finished."""

    def __init__(self, first: bytes, rest: AsyncIterator[bytes]) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({"content-type": NDJSON, "cache-control": "no-store"})  # of no length: there is no body yet
        self._first = first
        self._rest = rest

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Without the closing message the server cuts the connection, and so the client knows."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        try:
            await self._send(send, self._first)
            async for portion in self._rest:
                await self._send(send, portion)
        except (SomaError, TimeoutError) as error:
            log.warning("stream_cut_off", error=str(error) or "the client does not take it")
            return
        await send({"type": "http.response.body", "body": b""})

    @staticmethod
    async def _send(send: Send, portion: bytes) -> None:
        async with asyncio.timeout(_SEND_SECONDS):
            await send({"type": "http.response.body", "body": portion, "more_body": True})
