"""Linking, unlinking, and following links."""

from typing import Any

from fastapi import APIRouter, Request, Response

from somafractalmemory.errors import InvalidCoordinate, InvalidRequest
from somafractalmemory.httpface.guard import BodyReader, GuardedRoute, JsonResponse
from somafractalmemory.httpface.routes.describing import (
    NOT_FOUND,
    PROBLEMS,
    asks,
    namespace_of,
    place,
    runtime_of,
    takes,
)
from somafractalmemory.model import canonical
from somafractalmemory.model.graph import LinkMark, NewLink
from somafractalmemory.schemas.graph import (
    LinkRequest,
    LinksPage,
    LinksQuery,
    LinksRequest,
    LinksResponse,
    NeighborsQuery,
    NeighborsResponse,
    OkResponse,
    PathQuery,
    PathResponse,
    UnlinkQuery,
)

router = APIRouter(route_class=GuardedRoute, responses=PROBLEMS, tags=["graph"])
read_link = BodyReader(LinkRequest)
read_links = BodyReader(LinksRequest)


@router.post("/link", response_model=OkResponse, **takes(LinkRequest, NOT_FOUND))
async def link(request: Request) -> Response:
    """Link one memory to another; a link of the same type gets the new weight."""
    body, runtime = await read_link(request), runtime_of(request)
    await runtime.service.links.link(
        namespace=namespace_of(request),
        source=place("from_coord", body.from_coord),
        target=place("to_coord", body.to_coord),
        link_type=body.type,
        weight=body.weight,
    )
    return JsonResponse({"ok": True})


@router.post("/links", response_model=LinksResponse, **takes(LinksRequest, NOT_FOUND))
async def link_many(request: Request) -> Response:
    """Put many links in one go: all of them, or none."""
    body, runtime = await read_links(request), runtime_of(request)
    links = [_new_link(number, link) for number, link in enumerate(body.links)]
    linked = await runtime.service.links.link_many(namespace=namespace_of(request), links=links)
    return JsonResponse({"linked": linked})


@router.get("/links", response_model=LinksPage, **asks(LinksQuery))
async def page(request: Request) -> Response:
    """All links, page by page, in the order of the places that they lead from."""
    query, runtime = LinksQuery.model_validate(dict(request.query_params)), runtime_of(request)
    links = await runtime.service.links.page(
        namespace=namespace_of(request),
        link_type=query.type,
        after=None if query.after is None else _mark(query.after),
        limit=query.limit,
    )
    answer: dict[str, Any] = {
        "links": [
            {
                "from": link.source,
                "to": link.target,
                "type": link.type,
                "weight": link.weight,
                "timestamp": link.timestamp,
            }
            for link in links
        ]
    }
    if len(links) == query.limit:
        last = links[-1]
        answer["next"] = f"{canonical(last.source)}|{canonical(last.target)}|{last.type}"
    return JsonResponse(answer)


@router.delete("/link", response_model=OkResponse, responses=NOT_FOUND, **asks(UnlinkQuery))
async def unlink(request: Request) -> Response:
    """Remove a link."""
    query, runtime = UnlinkQuery.model_validate(dict(request.query_params)), runtime_of(request)
    await runtime.service.links.unlink(
        namespace=namespace_of(request),
        source=place("from_coord", query.from_coord),
        target=place("to_coord", query.to_coord),
        link_type=query.type,
    )
    return JsonResponse({"ok": True})


@router.get("/neighbors", response_model=NeighborsResponse, responses=NOT_FOUND, **asks(NeighborsQuery))
async def neighbors(request: Request) -> Response:
    """Where links lead from a memory."""
    query, runtime = NeighborsQuery.model_validate(dict(request.query_params)), runtime_of(request)
    edges = await runtime.service.links.neighbours(
        namespace=namespace_of(request),
        coordinate=place("coord", query.coord),
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


@router.get("/shortest_path", response_model=PathResponse, responses=NOT_FOUND, **asks(PathQuery))
async def shortest_path(request: Request) -> Response:
    """The lightest path along links."""
    query, runtime = PathQuery.model_validate(dict(request.query_params)), runtime_of(request)
    path = await runtime.service.links.shortest_path(
        namespace=namespace_of(request),
        source=place("frm", query.frm),
        target=place("to", query.to),
        link_type=query.link_type,
    )
    return JsonResponse({"path": path})


def _new_link(number: int, link: LinkRequest) -> NewLink:
    try:
        return NewLink(place("from_coord", link.from_coord), place("to_coord", link.to_coord), link.type, link.weight)
    except InvalidCoordinate as error:
        raise InvalidCoordinate(f"link {number}: {error}", loc=("links", number, *error.loc)) from None


def _mark(text: str) -> LinkMark:
    """What `next` says. Raises InvalidRequest."""
    source, _, rest = text.partition("|")
    target, _, kind = rest.partition("|")
    if not kind or "\0" in kind:
        raise InvalidRequest("after: it is the `next` of the page before, as it stands there", loc=("after",))
    return place("after", source), kind, place("after", target)
