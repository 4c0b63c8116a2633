"""A stream of memories, as the bulk store takes it."""

import asyncio
from collections.abc import AsyncIterator

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.errors import InvalidRequest, SlowBody
from somafractalmemory.grpcface import reading
from somafractalmemory.usecases.bulkstoring import Item, Numbered


async def numbered(requests: AsyncIterator[pb.StoreRequest], *, seconds: float) -> AsyncIterator[Numbered]:
    """Every item with its number, from 1. Raises SlowBody for a pause of more than `seconds`."""
    stream, number = aiter(requests), 0
    while (request := await _next(stream, seconds)) is not None:
        number += 1
        yield Numbered(number, len(request.memory.payload_json), _item(request))


def _item(request: pb.StoreRequest) -> Item | InvalidRequest:
    if request.HasField("expected_version"):
        return InvalidRequest("expected_version: a stream does not compare versions; use Store")
    try:
        return reading.item(request.memory)
    except InvalidRequest as error:
        return error


async def _next(stream: AsyncIterator[pb.StoreRequest], seconds: float) -> pb.StoreRequest | None:
    try:
        async with asyncio.timeout(seconds):
            return await anext(stream, None)
    except TimeoutError:
        raise SlowBody(f"nothing came for {seconds:g} s") from None
