"""Storing, one or many, and counting."""

from collections.abc import AsyncIterator, Sequence

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from somafractalmemory.errors import InvalidCoordinate, InvalidRequest
from somafractalmemory.httpface.bodies import is_lines
from somafractalmemory.httpface.guard import BodyReader, GuardedRoute, JsonResponse, takes_lines
from somafractalmemory.httpface.routes.describing import (
    IF_MATCH,
    MISMATCH,
    PROBLEMS,
    WITH_BODY,
    body_schema,
    either_body,
    expected_version,
    namespace_of,
    place,
    runtime_of,
    takes,
)
from somafractalmemory.httpface.streaming import MAX_ITEM_LINE, Line, lines_of
from somafractalmemory.model import Coordinate, MemoryType, parse_coordinate
from somafractalmemory.model.transfer import first_problem
from somafractalmemory.schemas.memories import (
    BulkRequest,
    BulkResponse,
    DeletedResponse,
    DeleteManyRequest,
    StatsResponse,
    StoreRequest,
    StoreResponse,
)
from somafractalmemory.usecases.bulkstoring import Item, Numbered, store_stream

router = APIRouter(route_class=GuardedRoute, responses=PROBLEMS)
read_store = BodyReader(StoreRequest)
read_bulk = BodyReader(BulkRequest)
read_delete_many = BodyReader(DeleteManyRequest)


@router.post(
    "/store",
    response_model=StoreResponse,
    tags=["memories"],
    responses={**WITH_BODY, **MISMATCH},
    openapi_extra={**body_schema(StoreRequest), "parameters": [IF_MATCH]},
)
async def store(request: Request) -> Response:
    """Store a memory at a coordinate; what was there before is replaced."""
    body, runtime = await read_store(request), runtime_of(request)
    remembered = await runtime.service.remember(
        namespace=namespace_of(request),
        coordinate=place("coord", body.coord),
        payload=body.payload,
        memory_type=body.type or MemoryType.EPISODIC,
        expected=expected_version(request),
    )
    version = remembered.saved.version
    return JsonResponse(
        {"ok": True, "indexed": remembered.indexed, "version": version}, headers={"etag": f'"{version}"'}
    )


@router.post(
    "/store_bulk",
    response_model=BulkResponse,
    response_model_exclude_none=True,
    tags=["memories"],
    responses=WITH_BODY,
    openapi_extra=either_body(BulkRequest, "A StoreRequest on each line; any number of them."),
)
@takes_lines(is_lines)
async def store_bulk(request: Request) -> Response:
    """Store many memories: as JSON all of them or none; as NDJSON of any length, line by line."""
    if is_lines(request):
        return await _store_lines(request)
    body, runtime = await read_bulk(request), runtime_of(request)
    items = [
        (_coordinate(number, item.coord), item.payload, item.type or MemoryType.EPISODIC)
        for number, item in enumerate(body.items)
    ]
    stored, indexed = await runtime.service.remember_many(namespace=namespace_of(request), items=items)
    return JsonResponse({"stored": stored, "indexed": indexed})


async def _store_lines(request: Request) -> Response:
    service, namespace = runtime_of(request).service, namespace_of(request)

    async def store(items: Sequence[Item]) -> bool:
        _, indexed = await service.remember_many(namespace=namespace, items=items)
        return indexed

    report = await store_stream(_numbered(lines_of(request, limit=MAX_ITEM_LINE)), store)
    return JsonResponse(
        {"stored": report.stored, "failed": report.failed, "indexed": report.indexed, "errors": report.errors}
    )


async def _numbered(lines: AsyncIterator[Line]) -> AsyncIterator[Numbered]:
    number = 0
    async for line in lines:
        number += 1
        if isinstance(line, InvalidRequest) or line.strip():
            yield Numbered(number, 0 if isinstance(line, InvalidRequest) else len(line), _item(line))


def _item(line: Line) -> Item | InvalidRequest:
    if isinstance(line, InvalidRequest):
        return line
    try:
        body = StoreRequest.model_validate(orjson.loads(line))
        return place("coord", body.coord), body.payload, body.type or MemoryType.EPISODIC
    except orjson.JSONDecodeError as error:
        return InvalidRequest(f"this is not valid JSON: {error}")
    except ValidationError as error:
        return InvalidRequest(first_problem(error))
    except InvalidRequest as error:
        return error


@router.post("/delete_many", response_model=DeletedResponse, tags=["memories"], **takes(DeleteManyRequest))
async def delete_many(request: Request) -> Response:
    """Delete the memories at these places in one go; places where none lives do not count."""
    body, runtime = await read_delete_many(request), runtime_of(request)
    places = [_coordinate(number, text, field="coords") for number, text in enumerate(body.coords)]
    deleted, indexed = await runtime.service.forget_many(namespace=namespace_of(request), coordinates=places)
    return JsonResponse({"deleted": deleted, "indexed": indexed})


@router.get("/stats", response_model=StatsResponse, tags=["system"])
async def stats(request: Request) -> Response:
    """How many memories live in this namespace."""
    runtime = runtime_of(request)
    counts = await runtime.service.count(namespace=namespace_of(request))
    total = counts.episodic + counts.semantic
    return JsonResponse({"total_memories": total, "episodic": counts.episodic, "semantic": counts.semantic})


def _coordinate(number: int, text: str, field: str = "items") -> Coordinate:
    try:
        return parse_coordinate(text)
    except InvalidCoordinate as error:
        loc = (field, number, "coord") if field == "items" else (field, number)
        raise InvalidCoordinate(f"item {number}: {error}", loc=loc) from None
