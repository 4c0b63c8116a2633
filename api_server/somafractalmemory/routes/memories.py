"""Storing, recalling, looking up, forgetting."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from somafractalmemory.errors import InvalidRequest
from somafractalmemory.guard import BodyReader, GuardedRoute, JsonResponse, Runtime
from somafractalmemory.model import Memory, MemoryType, importance_norm, parse_coordinate
from somafractalmemory.schemas import (
    MemoryResponse,
    Problem,
    RecallRequest,
    RecallResponse,
    StatsResponse,
    StoreRequest,
    StoreResponse,
)

PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": text}
    for code, text in {
        401: "No bearer token",
        403: "Unknown token",
        422: "The request breaks a rule",
        429: "Too many requests; see Retry-After",
        503: "A required store is away; see Retry-After",
    }.items()
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No memory lives there"}}
WITH_BODY: dict[int | str, dict[str, Any]] = {413: {"model": Problem, "description": "The body is too large"}}

router = APIRouter(route_class=GuardedRoute, responses=PROBLEMS)
read_store = BodyReader(StoreRequest)
read_recall = BodyReader(RecallRequest)


def body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """How a route that reads its own body shows it in the OpenAPI document."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/store",
    response_model=StoreResponse,
    tags=["memories"],
    openapi_extra=body_schema(StoreRequest),
    responses=WITH_BODY,
)
async def store(request: Request) -> Response:
    """Store a memory at a coordinate; what was there before is replaced."""
    body, runtime = await read_store(request), runtime_of(request)
    remembered = await runtime.service.remember(
        namespace=runtime.settings.namespace,
        coordinate=parse_coordinate(body.coord),
        payload=body.payload,
        memory_type=body.type or MemoryType.EPISODIC,
    )
    return JsonResponse({"ok": True, "indexed": remembered.indexed, "version": remembered.saved.version})


@router.post(
    "/recall",
    response_model=RecallResponse,
    tags=["memories"],
    openapi_extra=body_schema(RecallRequest),
    responses=WITH_BODY,
)
async def recall(request: Request) -> Response:
    """Recall the memories that fit a query best."""
    return await _recall(runtime_of(request), await read_recall(request))


@router.get("/recall", response_model=RecallResponse, tags=["memories"], openapi_extra={"parameters": []})
async def recall_by_query_string(request: Request) -> Response:
    """Recall with everything in the query string; `filters` is JSON text."""
    return await _recall(runtime_of(request), RecallRequest.model_validate(_query_string(request.query_params)))


@router.get("/memories/{coord}", response_model=MemoryResponse, tags=["memories"], responses=NOT_FOUND)
async def look_up(request: Request, coord: str) -> Response:
    """One memory by its coordinate."""
    runtime = runtime_of(request)
    memory = await runtime.service.look_up(namespace=runtime.settings.namespace, coordinate=parse_coordinate(coord))
    return JsonResponse(_shown(memory))


@router.delete("/memories/{coord}", response_model=StoreResponse, tags=["memories"], responses=NOT_FOUND)
async def forget(request: Request, coord: str) -> Response:
    """Delete one memory from every store."""
    runtime = runtime_of(request)
    forgotten = await runtime.service.forget(namespace=runtime.settings.namespace, coordinate=parse_coordinate(coord))
    return JsonResponse({"ok": True, "indexed": forgotten.indexed, "version": forgotten.saved.version})


@router.get("/stats", response_model=StatsResponse, tags=["system"])
async def stats(request: Request) -> Response:
    """How many memories live in this namespace."""
    runtime = runtime_of(request)
    counts = await runtime.service.count(namespace=runtime.settings.namespace)
    total = counts.episodic + counts.semantic
    return JsonResponse({"total_memories": total, "episodic": counts.episodic, "semantic": counts.semantic})


def runtime_of(request: Request) -> Runtime:
    """What the lifespan opened."""
    runtime: Runtime = request.app.state.runtime
    return runtime


async def _recall(runtime: Runtime, body: RecallRequest) -> Response:
    recalled = await runtime.service.recall(
        namespace=runtime.settings.namespace,
        query=body.query,
        top_k=body.top_k,
        memory_type=body.type,
        filters=body.filters or {},
        hybrid=runtime.settings.hybrid_recall_default if body.hybrid is None else body.hybrid,
    )
    answer: dict[str, Any] = {"matches": [match.memory.flattened() for match in recalled.matches]}
    if recalled.degraded:
        answer["degraded"] = recalled.degraded
    return JsonResponse(answer)


def _query_string(parameters: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = dict(parameters)
    if "filters" in values:
        try:
            values["filters"] = orjson.loads(values["filters"])
        except orjson.JSONDecodeError as error:
            raise InvalidRequest(f"filters is not valid JSON: {error}", loc=("query", "filters")) from None
    return values


def _shown(memory: Memory) -> dict[str, Any]:
    return {
        "coordinate": memory.coordinate,
        "memory_type": memory.memory_type.value,
        "payload": memory.payload,
        "importance": memory.importance,
        "importance_norm": importance_norm(memory.importance),
        "timestamp": memory.timestamp,
        "version": memory.version,
        "created_at": memory.created_at,
        "updated_at": memory.updated_at,
    }
