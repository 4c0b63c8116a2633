"""Linking, unlinking, and following links."""

from fastapi import APIRouter, Request, Response

from somafractalmemory.graphschemas import (
    LinkRequest,
    NeighborsQuery,
    NeighborsResponse,
    OkResponse,
    PathQuery,
    PathResponse,
    UnlinkQuery,
)
from somafractalmemory.guard import BodyReader, GuardedRoute, JsonResponse
from somafractalmemory.model import parse_coordinate
from somafractalmemory.routes.describing import NOT_FOUND, PROBLEMS, asks, namespace_of, runtime_of, takes

router = APIRouter(route_class=GuardedRoute, responses={**PROBLEMS, **NOT_FOUND}, tags=["graph"])
read_link = BodyReader(LinkRequest)


@router.post("/link", response_model=OkResponse, **takes(LinkRequest))
async def link(request: Request) -> Response:
    """Link one memory to another; a link of the same type gets the new weight."""
    body, runtime = await read_link(request), runtime_of(request)
    await runtime.service.links.link(
        namespace=namespace_of(request),
        source=parse_coordinate(body.from_coord),
        target=parse_coordinate(body.to_coord),
        link_type=body.type,
        weight=body.weight,
    )
    return JsonResponse({"ok": True})


@router.delete("/link", response_model=OkResponse, **asks(UnlinkQuery))
async def unlink(request: Request) -> Response:
    """Remove a link."""
    query, runtime = UnlinkQuery.model_validate(dict(request.query_params)), runtime_of(request)
    await runtime.service.links.unlink(
        namespace=namespace_of(request),
        source=parse_coordinate(query.from_coord),
        target=parse_coordinate(query.to_coord),
        link_type=query.type,
    )
    return JsonResponse({"ok": True})


@router.get("/neighbors", response_model=NeighborsResponse, **asks(NeighborsQuery))
async def neighbors(request: Request) -> Response:
    """Where links lead from a memory."""
    query, runtime = NeighborsQuery.model_validate(dict(request.query_params)), runtime_of(request)
    edges = await runtime.service.links.neighbours(
        namespace=namespace_of(request),
        coordinate=parse_coordinate(query.coord),
        link_type=query.link_type,
        limit=query.limit,
    )
    shown = [
        (
            edge.coordinate,
            {"to": edge.coordinate, "type": edge.type, "timestamp": edge.timestamp, "weight": edge.weight},
        )
        for edge in edges
    ]
    return JsonResponse({"neighbors": shown})


@router.get("/shortest_path", response_model=PathResponse, **asks(PathQuery))
async def shortest_path(request: Request) -> Response:
    """The lightest path along links."""
    query, runtime = PathQuery.model_validate(dict(request.query_params)), runtime_of(request)
    path = await runtime.service.links.shortest_path(
        namespace=namespace_of(request),
        source=parse_coordinate(query.frm),
        target=parse_coordinate(query.to),
        link_type=query.link_type,
    )
    return JsonResponse({"path": path})
