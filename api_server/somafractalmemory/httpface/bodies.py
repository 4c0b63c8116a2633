"""Bodies of requests, read within their bounds of size and time."""

import asyncio
from typing import Generic, TypeVar

import orjson
from pydantic import BaseModel
from starlette.requests import Request

from somafractalmemory.errors import InvalidRequest, SlowBody, TooLarge
from somafractalmemory.settings import Settings

Body = TypeVar("Body", bound=BaseModel)
LINES_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})


class BodyReader(Generic[Body]):
    """Reads and checks a JSON body, much faster than the framework's own machinery."""

    def __init__(self, model: type[Body]) -> None:
        self._model = model

    async def __call__(self, request: Request) -> Body:
        """Raises TooLarge, SlowBody, InvalidRequest or pydantic's ValidationError."""
        raw: bytes | None = request.scope.get("soma.body")
        if raw is None:
            raw = await timely_body(request, request.app.state.runtime.settings)
        try:
            content = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise InvalidRequest(f"the body is not valid JSON: {error}", loc=("body",)) from None
        if not isinstance(content, dict):
            raise InvalidRequest("the body is a JSON object", loc=("body",))
        return self._model.model_validate(content)


async def timely_body(request: Request, settings: Settings) -> bytes:
    """The whole body. Raises TooLarge, SlowBody."""
    try:
        async with asyncio.timeout(settings.body_timeout_seconds):
            return await read_body(request, settings.max_body_bytes)
    except TimeoutError:
        raise SlowBody(f"the body did not come within {settings.body_timeout_seconds:g} s") from None


def is_lines(request: Request) -> bool:
    """Whether the body says that it is lines."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() in LINES_TYPES


async def read_body(request: Request, limit: int | None) -> bytes:
    """The whole body, chunked or not. Raises TooLarge as soon as it exceeds `limit`."""
    declared = request.headers.get("content-length", "")
    if limit is not None and declared.isdigit() and int(declared) > limit:
        raise TooLarge("Request entity too large")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if limit is not None and size > limit:
            raise TooLarge("Request entity too large")
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
