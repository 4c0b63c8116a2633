"""Finding memories by the letters of their values and by their places, each by its own index."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from somafractalmemory.adapters.postgres_links import Run
from somafractalmemory.adapters.postgres_rows import COLUMNS, array, memory_of
from somafractalmemory.model import Coordinate, Memory, MemoryType
from somafractalmemory.model.wording import Mode, Term
from somafractalmemory.ports import Box, Order, Search

_FIND_TERM = f"""
select {COLUMNS} from memories
where not deleted and namespace = %(namespace)s and {{conditions}}
    and (%(memory_type)s::text is null or memory_type = %(memory_type)s)
order by updated_at desc, id
limit %(limit)s
"""  # noqa: S608 - our own column names

# The comparison of whole arrays bounds what is read of the index; the axes decide.
_WITHIN = """
select coordinate, namespace from memories
where not deleted and namespace = %(namespace)s
    and cardinality(coordinate) = cardinality(%(low)s::double precision[])
    and coordinate >= %(low)s::double precision[] and coordinate <= %(high)s::double precision[]
    and (%(after)s::double precision[] is null or coordinate > %(after)s::double precision[])
    and (%(memory_type)s::text is null or memory_type = %(memory_type)s)
    and not exists (
        select from unnest(coordinate, %(low)s::double precision[], %(high)s::double precision[]) as axis (n, low, high)
        where n < low or n > high
    )
order by coordinate
limit %(limit)s
"""


# Each half is read from the index and ends at its limit; what is not sought is left out afterwards.
_AROUND = """
with near as (
    (
        select coordinate, namespace, memory_type, payload from memories
        where not deleted and namespace = %(namespace)s
            and cardinality(coordinate) = cardinality(%(place)s::double precision[])
            and coordinate < %(place)s::double precision[]
        order by coordinate desc
        limit %(limit)s
    )
    union all
    (
        select coordinate, namespace, memory_type, payload from memories
        where not deleted and namespace = %(namespace)s
            and cardinality(coordinate) = cardinality(%(place)s::double precision[])
            and coordinate >= %(place)s::double precision[]
        order by coordinate
        limit %(limit)s
    )
)
select coordinate, namespace from near
where (%(memory_type)s::text is null or memory_type = %(memory_type)s)
    and not exists (
        select from jsonb_each(%(filters)s::jsonb) as filter
        where near.payload -> filter.key is distinct from filter.value
    )
"""

_PAGE = f"""
select {COLUMNS} from memories
where not deleted and namespace = %(namespace)s {{behind}}
    and (%(memory_type)s::text is null or memory_type = %(memory_type)s)
order by cardinality(coordinate), coordinate
limit %(limit)s
"""  # noqa: S608 - our own column names
_BEHIND = """
    and (cardinality(coordinate), coordinate)
        > (cardinality(%(after)s::double precision[]), %(after)s::double precision[])
"""

_VERSIONS = f"""
with living as (select {COLUMNS} from memories where id = %(id)s and not deleted)
select {COLUMNS} from living
union all
select l.id, l.namespace, l.coordinate, v.memory_type, v.payload, v.importance, v.occurred_at, v.version, v.created_at,
    v.updated_at, l.access_count, l.deleted, l.accessed_at
from living l join memory_versions v on v.memory_id = l.id
order by version desc
"""  # noqa: S608 - our own column names


_FOREMOST = f"""
select {COLUMNS} from memories
where not deleted and namespace = %(namespace)s
    and (%(memory_type)s::text is null or memory_type = %(memory_type)s)
order by {{order}} limit %(limit)s
"""  # noqa: S608 - our own column names
_ORDERS = {
    Order.LATEST: "coalesce(occurred_at, updated_at) desc, id desc",
    Order.IMPORTANT: "importance desc, updated_at desc, id desc",
}


class PostgresLookups:
    """Implements the port Lookups over the pool of `PostgresRecords`."""

    def __init__(self, run: Run, look_up: Run) -> None:
        self._run = run
        self._look_up = look_up

    async def find_term(
        self, term: Term, *, namespace: str, memory_type: MemoryType | None, limit: int
    ) -> Sequence[Memory]:
        patterns = {f"pattern_{number}": pattern for number, pattern in enumerate(_patterns(term))}
        statement = _FIND_TERM.format(
            conditions=" and ".join(f"search_text {_operator(term)} %({name})s" for name in patterns)
        )
        parameters: dict[str, Any] = {"namespace": namespace, "memory_type": memory_type, "limit": limit, **patterns}
        return [memory_of(row) for row in await self._look_up(statement, parameters)]

    async def versions(self, place: UUID) -> Sequence[Memory]:
        return [memory_of(row) for row in await self._run(_VERSIONS, {"id": place})]

    async def page(
        self, *, namespace: str, memory_type: MemoryType | None, after: Coordinate | None, limit: int
    ) -> Sequence[Memory]:
        parameters: dict[str, Any] = {"namespace": namespace, "memory_type": memory_type, "limit": limit}
        statement = _PAGE.format(behind=_BEHIND if after else "")
        if after:
            parameters["after"] = array(after)
        return [memory_of(row) for row in await self._look_up(statement, parameters)]

    async def within(self, box: Box, *, after: Coordinate | None, limit: int) -> Sequence[Coordinate]:
        rows = await self._look_up(
            _WITHIN,
            {
                "namespace": box.namespace,
                "low": array(box.low),
                "high": array(box.high),
                "after": array(after) if after else None,
                "memory_type": box.memory_type,
                "limit": limit,
            },
        )
        return [tuple(coordinate) for coordinate, _ in rows]

    async def foremost(
        self, order: Order, *, namespace: str, memory_type: MemoryType | None, limit: int
    ) -> Sequence[Memory]:
        parameters = {"namespace": namespace, "memory_type": memory_type, "limit": limit}
        statement = _FOREMOST.format(order=_ORDERS[order])
        return [memory_of(row) for row in await self._run(statement, parameters)]

    async def around(self, place: Coordinate, search: Search) -> Sequence[Coordinate]:
        parameters = {
            "namespace": search.namespace,
            "place": array(place),
            "memory_type": search.memory_type,
            "filters": orjson.dumps(dict(search.filters)).decode(),
            "limit": search.limit,
        }
        return [tuple(coordinate) for coordinate, _ in await self._look_up(_AROUND, parameters)]


def _operator(term: Term) -> str:
    if term.mode is Mode.SUBSTRING:
        return "like" if term.case_sensitive else "ilike"
    return "~" if term.case_sensitive else "~*"


def _patterns(term: Term) -> list[str]:
    """Words hold letters, digits and underscores only, so they need no quoting; a substring's signs do."""
    if term.mode is Mode.SUBSTRING:
        quoted = term.text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        return [f"%{quoted}%"]
    words = [rf"\m{word}\M" for word in term.words]
    return words if term.mode is Mode.WORD else [r"\W+".join(words)]
