"""Links between memories, and the shortest way along them. Pure: who holds the links is asked through a function."""

import heapq
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from somafractalmemory.errors import InvalidRequest
from somafractalmemory.model import Coordinate

MAX_VISITED = 10_000
MAX_EDGES = 100_000
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Link:
    """From one memory to another; for each type there is at most one."""

    source: UUID
    target: UUID
    type: str
    weight: float

    def event_payload(self, *, source: Coordinate, target: Coordinate, removed: bool = False) -> str:
        """What a `linked` event says."""
        body = {"from": source, "to": target, "to_id": str(self.target), "link_type": self.type, "weight": self.weight}
        return orjson.dumps(body | ({"removed": True} if removed else {})).decode()


@dataclass(frozen=True, slots=True)
class Edge:
    """A link as it is followed: `coordinate` is where it leads."""

    source: UUID
    target: UUID
    coordinate: Coordinate
    type: str
    weight: float
    timestamp: float


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to be put, by the places of both ends."""

    source: Coordinate
    target: Coordinate
    type: str
    weight: float


@dataclass(frozen=True, slots=True)
class PlacedLink:
    """A link as it is listed: by the places of both ends."""

    source: Coordinate
    target: Coordinate
    type: str
    weight: float
    timestamp: float


LinkMark = tuple[Coordinate, str, Coordinate]
"""Which link a page ended with: source, type, target."""

Outgoing = Callable[[Sequence[UUID], int], Awaitable[Sequence[Edge]]]
"""All edges from these memories, at most so many."""


class _Walk:
    """Dijkstra's algorithm; the edges of the nearest memories are fetched together, so that trips are few."""

    def __init__(self, start: UUID, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._frontier: list[tuple[float, UUID]] = [(0.0, start)]
        self._distances: dict[UUID, float] = {start: 0.0}
        self._edges: dict[UUID, list[Edge]] = {}
        self._fetched = 0
        self._visited: set[UUID] = set()
        self.came: dict[UUID, Edge] = {}

    async def reaches(self, goal: UUID) -> bool:
        """Visit memories, nearest first, until the goal. Raises InvalidRequest when that takes too many."""
        while self._frontier:
            distance, here = heapq.heappop(self._frontier)
            if here == goal:
                return True
            if here in self._visited:
                continue
            self._visited.add(here)
            if len(self._visited) > MAX_VISITED:
                raise _too_far(f"{MAX_VISITED} memories")
            if here not in self._edges:
                await self._fetch(here)
            self._relax(here, distance)
        return False

    def _relax(self, here: UUID, distance: float) -> None:
        for edge in self._edges.pop(here):
            further = distance + edge.weight
            if further < self._distances.get(edge.target, float("inf")):
                self._distances[edge.target] = further
                self.came[edge.target] = edge
                heapq.heappush(self._frontier, (further, edge.target))

    async def _fetch(self, here: UUID) -> None:
        near = [place for _, place in heapq.nsmallest(_AT_ONCE, self._frontier)]
        wanted = [place for place in dict.fromkeys(near) if place not in self._edges and place not in self._visited]
        places = [here, *wanted[: _AT_ONCE - 1]]
        edges = await self._outgoing(places, MAX_EDGES + 1 - self._fetched)
        self._fetched += len(edges)
        if self._fetched > MAX_EDGES:
            raise _too_far(f"{MAX_EDGES} links")
        self._edges |= {place: [] for place in places}
        for edge in edges:
            self._edges[edge.source].append(edge)


async def shortest_path(start: UUID, goal: UUID, outgoing: Outgoing) -> list[Edge] | None:
    """The edges of the lightest path, none for a memory to itself; None when there is no path.

    Raises InvalidRequest when the search exceeds its bound.
    """
    walk = _Walk(start, outgoing)
    if not await walk.reaches(goal):
        return None
    path: list[Edge] = []
    here = goal
    while here != start:
        path.append(walk.came[here])
        here = path[-1].source
    return path[::-1]


def _too_far(what: str) -> InvalidRequest:
    return InvalidRequest(f"no path was found among the nearest {what}; name a link_type to search fewer", loc=("to",))
