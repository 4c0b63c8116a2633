"""Remembering without a question, and learning from what was."""

from collections.abc import Sequence
from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from somafractalmemory.httpface.guard import BodyReader, GuardedRoute, JsonResponse
from somafractalmemory.httpface.routes.describing import (
    NOT_FOUND,
    PROBLEMS,
    WITH_BODY,
    asks,
    body_schema,
    place,
    runtime_of,
    takes,
)
from somafractalmemory.httpface.routes.describing import namespace_of as where
from somafractalmemory.httpface.routes.places import shown
from somafractalmemory.model import Memory
from somafractalmemory.schemas.reflection import (
    ConsolidateRequest,
    ConsolidateResponse,
    MemoriesResponse,
    OutcomeRequest,
    OutcomeResponse,
    RecollectQuery,
    SampleQuery,
)

router = APIRouter(route_class=GuardedRoute, responses=PROBLEMS, tags=["reflection"])
read_outcome = BodyReader(OutcomeRequest)
read_consolidate = BodyReader(ConsolidateRequest)


@router.get("/recent", response_model=MemoriesResponse, **asks(RecollectQuery))
async def recent(request: Request) -> Response:
    """The latest memories, by their own time, else by when they were stored."""
    query = RecollectQuery.model_validate(dict(request.query_params))
    service = runtime_of(request).service.recollecting
    return _answer(await service.recent(namespace=where(request), memory_type=query.type, limit=query.n))


@router.get("/important", response_model=MemoriesResponse, **asks(RecollectQuery))
async def important(request: Request) -> Response:
    """The most important memories, of equals the latest."""
    query = RecollectQuery.model_validate(dict(request.query_params))
    service = runtime_of(request).service.recollecting
    return _answer(await service.important(namespace=where(request), memory_type=query.type, limit=query.n))


@router.get("/replay", response_model=MemoriesResponse, **asks(SampleQuery))
async def replay(request: Request) -> Response:
    """Some memories by chance, each as likely as any other."""
    return await _sample(request)


@router.get("/reflect", response_model=MemoriesResponse, **asks(SampleQuery))
async def reflect(request: Request) -> Response:
    """Some memories by chance, as `/replay`; the name that programs in process give it."""
    return await _sample(request)


@router.post(
    "/outcome",
    response_model=OutcomeResponse,
    responses={**WITH_BODY, **NOT_FOUND},
    openapi_extra=body_schema(OutcomeRequest),
)
async def outcome(request: Request) -> Response:
    """Note what really happened; a wrong prediction also leaves a correction, linked to its memory, which stays."""
    body = await read_outcome(request)
    noted = await runtime_of(request).service.consolidating.report_outcome(
        namespace=where(request), coordinate=place("coord", body.coord), outcome=body.outcome
    )
    return JsonResponse({"ok": True, **asdict(noted)})


@router.post("/consolidate", response_model=ConsolidateResponse, **takes(ConsolidateRequest))
async def consolidate(request: Request) -> Response:
    """Draw a fact from each recent episode that has none yet; the episodes stay, linked from their facts."""
    body = await read_consolidate(request)
    done = await runtime_of(request).service.consolidating.consolidate(
        namespace=where(request), window_seconds=body.window_seconds, limit=body.limit
    )
    return JsonResponse(asdict(done))


async def _sample(request: Request) -> Response:
    query = SampleQuery.model_validate(dict(request.query_params))
    service = runtime_of(request).service.recollecting
    return _answer(await service.sample(namespace=where(request), memory_type=query.type, limit=query.n))


def _answer(memories: Sequence[Memory]) -> Response:
    return JsonResponse({"memories": [shown(memory) for memory in memories]})
