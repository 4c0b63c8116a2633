"""The use case of finding memories by their place: the nearest ones, by Euclidean distance."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from somafractalmemory.model import Coordinate, Memory, MemoryType, check_filters, fulfils, memory_id
from somafractalmemory.ports import Records, Search

SIDE = 1000
"""How many memories are looked at on either side of the place, in the order of places.

Places are ordered by their first number, then the second and so on, and an index holds that order; so this many rows
are read, however many memories there are. The nearest of all are found for sure while fewer than this lie on each
side, or when the last one looked at is farther away, on the first axis alone, than the last one found.
"""


class Nearby:
    """Looks around places."""

    def __init__(self, *, records: Records) -> None:
        self._records = records

    async def nearest(
        self,
        place: Coordinate,
        *,
        namespace: str,
        memory_type: MemoryType | None,
        filters: Mapping[str, Any],
        top_k: int,
    ) -> Sequence[tuple[Memory, float]]:
        """Memories of as many dimensions as the place, with their distances; the nearest first.

        Raises InvalidRequest for filters that no payload could fulfil.
        """
        search = Search(namespace, memory_type, check_filters(filters), SIDE)
        around = await self._records.lookups.around(place, search)
        nearest = sorted(around, key=lambda at: (math.dist(at, place), at))[:top_k]
        ids = {memory_id(namespace, at): at for at in nearest}
        memories = await self._records.get(list(ids))
        return [
            (memory, math.dist(at, place))
            for one, at in ids.items()
            if (memory := memories.get(one)) is not None and _is_sought(memory, search)
        ]


def _is_sought(memory: Memory, search: Search) -> bool:
    """Still, because it may have changed since its place was found."""
    return (
        not memory.deleted
        and memory.namespace == search.namespace
        and search.memory_type in {None, memory.memory_type}
        and fulfils(memory.payload, search.filters)
    )
