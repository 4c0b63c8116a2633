"""The lightest path, and where the search for it ends."""

from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

import pytest

from somafractalmemory.errors import InvalidRequest
from somafractalmemory.model import graph
from somafractalmemory.model.graph import Edge, shortest_path


def place(number: int) -> UUID:
    return UUID(int=number)


class Roads:
    """Links given as (from, to, weight); counts how often it was asked."""

    def __init__(self, *roads: tuple[int, int, float]) -> None:
        self.asked = 0
        self._roads: dict[UUID, list[Edge]] = {}
        for source, target, weight in roads:
            edge = Edge(place(source), place(target), (float(target),), "related", weight, 0.0)
            self._roads.setdefault(edge.source, []).append(edge)

    async def outgoing(self, places: Sequence[UUID], limit: int) -> Sequence[Edge]:
        self.asked += 1
        return [edge for source in places for edge in self._roads.get(source, [])][:limit]


async def path(roads: Roads, start: int, goal: int) -> list[int] | None:
    found = await shortest_path(place(start), place(goal), roads.outgoing)
    return None if found is None else [edge.target.int for edge in found]


async def test_the_lighter_detour_beats_the_heavy_direct_link() -> None:
    roads = Roads((1, 2, 10), (1, 3, 1), (3, 4, 1), (4, 2, 1))

    assert await path(roads, 1, 2) == [3, 4, 2]


async def test_links_lead_one_way() -> None:
    assert await path(Roads((1, 2, 1)), 2, 1) is None


async def test_of_parallel_links_the_lightest_counts() -> None:
    assert await path(Roads((1, 2, 5), (1, 2, 1), (1, 3, 2), (3, 2, 0)), 1, 2) == [2]


async def test_a_memory_reaches_itself_without_a_step() -> None:
    assert await path(Roads((1, 1, 1)), 1, 1) == []


async def test_circles_and_weightless_links_end() -> None:
    assert await path(Roads((1, 2, 0), (2, 1, 0), (2, 3, 0), (3, 2, 0)), 1, 4) is None


async def test_a_wide_graph_is_read_in_few_trips() -> None:
    roads = Roads(*((0, n, 1) for n in range(1, 201)), *((n, 1000, 1) for n in range(1, 201)), (1000, 1001, 1))

    assert (await path(roads, 0, 1001) or [])[-2:] == [1000, 1001]
    assert roads.asked <= 4


async def test_a_search_that_exceeds_its_bound_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MAX_VISITED", 50)
    chain = Roads(*((*pair, 1.0) for pair in pairwise(range(100))))

    assert len(await path(chain, 0, 49) or []) == 49
    with pytest.raises(InvalidRequest, match="link_type"):
        await path(chain, 0, 99)


async def test_a_memory_with_too_many_links_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MAX_EDGES", 50)
    star = Roads(*((0, n, 1.0) for n in range(1, 100)))

    with pytest.raises(InvalidRequest, match="50 links"):
        await path(star, 0, 99)
