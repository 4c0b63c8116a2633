"""Finding memories by a term and by their places, and listing them all."""

from typing import Any

from fastapi import APIRouter, Request, Response

from somafractalmemory.httpface.guard import BodyReader, GuardedRoute, JsonResponse, needs
from somafractalmemory.httpface.routes.describing import PROBLEMS, asks, namespace_of, place, runtime_of, takes
from somafractalmemory.httpface.routes.places import shown
from somafractalmemory.model import canonical
from somafractalmemory.model.wording import Mode, term_of
from somafractalmemory.ports import Box
from somafractalmemory.schemas.memories import PageQuery, PageResponse
from somafractalmemory.schemas.recall import KeywordRequest, RangeQuery, RangeResponse, ResultsResponse
from somafractalmemory.security.callers import Scope

router = APIRouter(route_class=GuardedRoute, responses=PROBLEMS, tags=["memories"])
read_keyword = BodyReader(KeywordRequest)


@router.post("/keyword_search", response_model=ResultsResponse, **takes(KeywordRequest))
@needs(Scope.READ)
async def keyword_search(request: Request) -> Response:
    """The memories whose values contain a term, last changed first."""
    body, runtime = await read_keyword(request), runtime_of(request)
    mode = body.mode or (Mode.PHRASE if body.exact else Mode.SUBSTRING)
    found = await runtime.service.find_term(
        term_of(body.term, mode, case_sensitive=body.case_sensitive),
        namespace=namespace_of(request),
        memory_type=body.type,
        limit=body.top_k,
    )
    return JsonResponse({"results": [memory.flattened() for memory in found]})


@router.get("/range", response_model=RangeResponse, **asks(RangeQuery))
async def coordinates_in_range(request: Request) -> Response:
    """The coordinates in a box, both corners included."""
    query, runtime = RangeQuery.model_validate(dict(request.query_params)), runtime_of(request)
    box = Box(namespace_of(request), place("min", query.min), place("max", query.max), query.type)
    after = None if query.after is None else place("after", query.after)
    coords = await runtime.service.places_within(box, after=after, limit=query.limit)
    answer: dict[str, Any] = {"coords": coords}
    if len(coords) == query.limit:
        answer["next"] = canonical(coords[-1])
    return JsonResponse(answer)


@router.get("/memories", response_model=PageResponse, **asks(PageQuery))
async def page(request: Request) -> Response:
    """All memories, page by page, in the order of their places."""
    query, runtime = PageQuery.model_validate(dict(request.query_params)), runtime_of(request)
    memories = await runtime.service.page(
        namespace=namespace_of(request),
        memory_type=query.type,
        after=None if query.after is None else place("after", query.after),
        limit=query.limit,
    )
    answer: dict[str, Any] = {"memories": [shown(memory) for memory in memories]}
    if len(memories) == query.limit:
        answer["next"] = canonical(memories[-1].coordinate)
    return JsonResponse(answer)
