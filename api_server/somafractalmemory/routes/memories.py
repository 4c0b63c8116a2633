"""Storing, one or many, and counting."""

from fastapi import APIRouter, Request, Response

from somafractalmemory.errors import InvalidCoordinate
from somafractalmemory.guard import BodyReader, GuardedRoute, JsonResponse
from somafractalmemory.model import Coordinate, MemoryType, parse_coordinate
from somafractalmemory.routes.describing import PROBLEMS, namespace_of, runtime_of, takes
from somafractalmemory.schemas import (
    BulkRequest,
    BulkResponse,
    StatsResponse,
    StoreRequest,
    StoreResponse,
)

router = APIRouter(route_class=GuardedRoute, responses=PROBLEMS)
read_store = BodyReader(StoreRequest)
read_bulk = BodyReader(BulkRequest)


@router.post("/store", response_model=StoreResponse, tags=["memories"], **takes(StoreRequest))
async def store(request: Request) -> Response:
    """Store a memory at a coordinate; what was there before is replaced."""
    body, runtime = await read_store(request), runtime_of(request)
    remembered = await runtime.service.remember(
        namespace=namespace_of(request),
        coordinate=parse_coordinate(body.coord),
        payload=body.payload,
        memory_type=body.type or MemoryType.EPISODIC,
    )
    return JsonResponse({"ok": True, "indexed": remembered.indexed, "version": remembered.saved.version})


@router.post("/store_bulk", response_model=BulkResponse, tags=["memories"], **takes(BulkRequest))
async def store_bulk(request: Request) -> Response:
    """Store many memories in one go: all of them, or none."""
    body, runtime = await read_bulk(request), runtime_of(request)
    items = [
        (_coordinate(number, item.coord), item.payload, item.type or MemoryType.EPISODIC)
        for number, item in enumerate(body.items)
    ]
    stored, indexed = await runtime.service.remember_many(namespace=namespace_of(request), items=items)
    return JsonResponse({"stored": stored, "indexed": indexed})


@router.get("/stats", response_model=StatsResponse, tags=["system"])
async def stats(request: Request) -> Response:
    """How many memories live in this namespace."""
    runtime = runtime_of(request)
    counts = await runtime.service.count(namespace=namespace_of(request))
    total = counts.episodic + counts.semantic
    return JsonResponse({"total_memories": total, "episodic": counts.episodic, "semantic": counts.semantic})


def _coordinate(number: int, text: str) -> Coordinate:
    try:
        return parse_coordinate(text)
    except InvalidCoordinate as error:
        raise InvalidCoordinate(f"item {number}: {error}", loc=("items", number, "coord")) from None
