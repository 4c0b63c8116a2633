# ruff: noqa: N802  # gRPC names its methods so
"""Calls about links."""

from typing import Any

from somafractalmemory import memory_pb2 as pb
from somafractalmemory.grpcface import reading, showing
from somafractalmemory.grpcface.gate import Calls, answers
from somafractalmemory.model import parse_coordinate
from somafractalmemory.model.graph import NewLink
from somafractalmemory.schemas.graph import LinkRequest, LinksQuery, NeighborsQuery, PathQuery
from somafractalmemory.security.admission import Admitted
from somafractalmemory.security.callers import Scope


class LinkCalls(Calls):
    """Linking, and following links."""

    @answers(Scope.WRITE)
    async def Link(self, request: pb.LinkRequest, admitted: Admitted) -> pb.OkResponse:
        """Link one memory to another."""
        body = _link(request)
        await self.runtime.service.links.link(
            namespace=admitted.namespace,
            source=parse_coordinate(body.from_coord),
            target=parse_coordinate(body.to_coord),
            link_type=body.type,
            weight=body.weight,
        )
        return pb.OkResponse(ok=True)

    @answers(Scope.WRITE)
    async def Unlink(self, request: pb.LinkRequest, admitted: Admitted) -> pb.OkResponse:
        """Remove a link."""
        body = _link(request)
        await self.runtime.service.links.unlink(
            namespace=admitted.namespace,
            source=parse_coordinate(body.from_coord),
            target=parse_coordinate(body.to_coord),
            link_type=body.type,
        )
        return pb.OkResponse(ok=True)

    @answers(Scope.WRITE)
    async def LinkMany(self, request: pb.LinkManyRequest, admitted: Admitted) -> pb.LinkManyResponse:
        """Link many, all or none."""
        reading.at_most(request.links, 1000, "links")
        bodies = [_link(link) for link in request.links]
        links = [
            NewLink(parse_coordinate(body.from_coord), parse_coordinate(body.to_coord), body.type, body.weight)
            for body in bodies
        ]
        linked = await self.runtime.service.links.link_many(namespace=admitted.namespace, links=links)
        return pb.LinkManyResponse(linked=linked)

    @answers(Scope.READ)
    async def Links(self, request: pb.LinksRequest, admitted: Admitted) -> pb.LinksResponse:
        """All links, page by page."""
        asked = {"type": request.link_type or None, "limit": request.limit or 100}
        query = LinksQuery.model_validate(asked)
        mark = None
        if request.HasField("after"):
            after = _link(pb.LinkRequest(source=request.after.source, target=request.after.target))
            mark = parse_coordinate(after.from_coord), request.after.type, parse_coordinate(after.to_coord)
        found = await self.runtime.service.links.page(
            namespace=admitted.namespace, link_type=query.type, after=mark, limit=query.limit
        )
        links = [
            pb.PlacedLink(
                source=showing.place(link.source),
                target=showing.place(link.target),
                type=link.type,
                weight=link.weight,
                timestamp=link.timestamp,
            )
            for link in found
        ]
        return pb.LinksResponse(links=links, more=len(links) == query.limit)

    @answers(Scope.READ)
    async def Neighbors(self, request: pb.NeighborsRequest, admitted: Admitted) -> pb.NeighborsResponse:
        """Where links lead from here."""
        given: dict[str, Any] = {"coord": reading.place_text(request.coord, "coord")}
        given |= {name: getattr(request, name) for name in ("link_type", "limit") if getattr(request, name)}
        body = NeighborsQuery.model_validate(given)
        edges = await self.runtime.service.links.neighbours(
            namespace=admitted.namespace,
            coordinate=parse_coordinate(body.coord),
            link_type=body.link_type,
            limit=body.limit,
        )
        shown = [
            pb.Neighbor(
                coord=showing.place(edge.coordinate), type=edge.type, weight=edge.weight, timestamp=edge.timestamp
            )
            for edge in edges
        ]
        return pb.NeighborsResponse(neighbors=shown)

    @answers(Scope.READ)
    async def ShortestPath(self, request: pb.PathRequest, admitted: Admitted) -> pb.PathResponse:
        """The lightest way along links."""
        given = {
            "frm": reading.place_text(request.source, "source"),
            "to": reading.place_text(request.target, "target"),
            "link_type": request.link_type or None,
        }
        body = PathQuery.model_validate(given)
        path = await self.runtime.service.links.shortest_path(
            namespace=admitted.namespace,
            source=parse_coordinate(body.frm),
            target=parse_coordinate(body.to),
            link_type=body.link_type,
        )
        return pb.PathResponse(path=map(showing.place, path))


def _link(request: pb.LinkRequest) -> LinkRequest:
    given: dict[str, Any] = {
        "from_coord": reading.place_text(request.source, "source"),
        "to_coord": reading.place_text(request.target, "target"),
    }
    if request.type:
        given["type"] = request.type
    if request.HasField("weight"):
        given["weight"] = request.weight
    return LinkRequest.model_validate(given)
