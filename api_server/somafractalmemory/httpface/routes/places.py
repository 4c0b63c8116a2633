"""One memory by its coordinate: as it is, as it was, amended, forgotten."""

from typing import Any

from fastapi import APIRouter, Request, Response

from somafractalmemory.httpface.guard import BodyReader, GuardedRoute, JsonResponse
from somafractalmemory.httpface.routes.describing import (
    IF_MATCH,
    MISMATCH,
    NOT_FOUND,
    PROBLEMS,
    WITH_BODY,
    body_schema,
    expected_version,
    namespace_of,
    place,
    runtime_of,
)
from somafractalmemory.model import Memory, Remembered
from somafractalmemory.schemas.memories import (
    AmendRequest,
    ImportanceRequest,
    MemoryResponse,
    StoreResponse,
    VersionsResponse,
)

router = APIRouter(route_class=GuardedRoute, responses={**PROBLEMS, **NOT_FOUND}, tags=["memories"])
read_amend = BodyReader(AmendRequest)
read_importance = BodyReader(ImportanceRequest)


@router.get("/memories/{coord}", response_model=MemoryResponse)
async def look_up(request: Request, coord: str) -> Response:
    """One memory by its coordinate; its version is its ETag."""
    runtime = runtime_of(request)
    memory = await runtime.service.look_up(namespace=namespace_of(request), coordinate=place("coord", coord))
    return JsonResponse(shown(memory), headers={"etag": f'"{memory.version}"'})


@router.get("/memories/{coord}/versions", response_model=VersionsResponse)
async def versions(request: Request, coord: str) -> Response:
    """The memory and what it was before."""
    runtime = runtime_of(request)
    found = await runtime.service.versions(namespace=namespace_of(request), coordinate=place("coord", coord))
    return JsonResponse({"versions": [shown(memory) for memory in found]})


@router.patch(
    "/memories/{coord}",
    response_model=StoreResponse,
    responses={**WITH_BODY, **MISMATCH},
    openapi_extra={**body_schema(AmendRequest), "parameters": [IF_MATCH]},
)
async def amend(request: Request, coord: str) -> Response:
    """Change some fields of a memory; null removes one."""
    body, runtime = await read_amend(request), runtime_of(request)
    amended = await runtime.service.amend(
        namespace=namespace_of(request),
        coordinate=place("coord", coord),
        patch=body.payload,
        memory_type=body.type,
        expected=expected_version(request),
    )
    return _committed(amended)


@router.put(
    "/memories/{coord}/importance",
    response_model=StoreResponse,
    responses={**WITH_BODY, **MISMATCH},
    openapi_extra={**body_schema(ImportanceRequest), "parameters": [IF_MATCH]},
)
async def set_importance(request: Request, coord: str) -> Response:
    """Say how much a memory matters; all else of it stays."""
    body, runtime = await read_importance(request), runtime_of(request)
    changed = await runtime.service.set_importance(
        namespace=namespace_of(request),
        coordinate=place("coord", coord),
        importance=body.importance,
        expected=expected_version(request),
    )
    return _committed(changed)


@router.delete(
    "/memories/{coord}", response_model=StoreResponse, responses=MISMATCH, openapi_extra={"parameters": [IF_MATCH]}
)
async def forget(request: Request, coord: str) -> Response:
    """Delete one memory from every store, with its versions and links."""
    runtime = runtime_of(request)
    forgotten = await runtime.service.forget(
        namespace=namespace_of(request), coordinate=place("coord", coord), expected=expected_version(request)
    )
    return _committed(forgotten)


def _committed(remembered: Remembered) -> Response:
    version = remembered.saved.version
    return JsonResponse(
        {"ok": True, "indexed": remembered.indexed, "version": version}, headers={"etag": f'"{version}"'}
    )


def shown(memory: Memory) -> dict[str, Any]:
    """A memory with its payload apart."""
    return {
        "coordinate": memory.coordinate,
        "memory_type": memory.memory_type.value,
        "payload": memory.payload,
        "importance": memory.importance,
        "importance_norm": memory.importance_norm,
        "timestamp": memory.timestamp,
        "version": memory.version,
        "created_at": memory.created_at,
        "updated_at": memory.updated_at,
        "access_count": memory.access_count,
        "accessed_at": memory.accessed_at,
    }
