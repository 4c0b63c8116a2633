"""Links as rows beside the memories; Postgres drops them when either end goes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from somafractalmemory.graph import Edge, Link

# Both ends are locked until the commit, so that a deletion comes wholly before or wholly after.
LINK = """
with ends as materialized (
    select id, namespace, version from memories
    where id in (%(source)s::uuid, %(target)s::uuid) and not deleted
    order by id for share
), clock as (
    select extract(epoch from statement_timestamp())::double precision as now
), put as (
    insert into links (source, target, type, weight, created_at)
    select %(source)s::uuid, %(target)s::uuid, %(type)s::text, %(weight)s::double precision, now
    from clock where (select count(*) from ends) = 2
    on conflict (source, type, target) do update set weight = excluded.weight
    returning source
), noted as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select id, namespace, 'linked', now, %(payload)s::text, version from ends join put on source = id, clock
)
select id from ends
"""

UNLINK = """
with gone as (
    delete from links where source = %(source)s::uuid and target = %(target)s::uuid and type = %(type)s::text
    returning source
), noted as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select id, namespace, 'linked', extract(epoch from statement_timestamp()), %(payload)s::text, version
    from memories join gone on source = id
)
select source from gone
"""

EDGES = """
select source, target, coordinate, type, weight, links.created_at
from links join memories on id = target and not deleted
where source = any(%(sources)s::uuid[]) and (%(type)s::text is null or type = %(type)s)
order by links.created_at, target, type
limit %(limit)s
"""

Run = Callable[[str, Mapping[str, Any]], Awaitable[list[tuple[Any, ...]]]]


class PostgresLinks:
    """Implements the port Links over the pool of `PostgresRecords`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def link(self, link: Link, payload_json: str) -> Sequence[UUID]:
        rows = await self._run(LINK, {**_parameters(link, payload_json), "weight": link.weight})
        living = {place for (place,) in rows}
        return [place for place in (link.source, link.target) if place not in living]

    async def unlink(self, link: Link, payload_json: str) -> bool:
        return bool(await self._run(UNLINK, _parameters(link, payload_json)))

    async def edges(self, sources: Sequence[UUID], link_type: str | None, limit: int) -> Sequence[Edge]:
        rows = await self._run(EDGES, {"sources": list(sources), "type": link_type, "limit": limit})
        return [Edge(source, target, tuple(place), *rest) for source, target, place, *rest in rows]


def _parameters(link: Link, payload_json: str) -> dict[str, Any]:
    return {"source": link.source, "target": link.target, "type": link.type, "payload": payload_json}
