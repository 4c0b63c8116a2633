"""Links as rows beside the memories; Postgres drops them when either end goes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from somafractalmemory.adapters.postgres_rows import array
from somafractalmemory.model import memory_id
from somafractalmemory.model.graph import Edge, Link, LinkMark, PlacedLink

# Both ends are locked until the commit, so that a deletion comes wholly before or wholly after.
LINK = """
with wanted as (
    select source, target, type, weight, payload
    from unnest(
        %(sources)s::uuid[], %(targets)s::uuid[], %(types)s::text[], %(weights)s::double precision[],
        %(payloads)s::text[]
    ) as wanted (source, target, type, weight, payload)
), ends as materialized (
    select id, namespace, version from memories where id = any(%(ends)s::uuid[]) and not deleted order by id for share
), clock as (
    select extract(epoch from statement_timestamp())::double precision as now
), put as (
    insert into links (source, target, type, weight, created_at)
    select source, target, type, weight, now
    from wanted, clock where (select count(*) from ends) = cardinality(%(ends)s::uuid[])
    on conflict (source, type, target) do update set weight = excluded.weight
    returning source, target, type
), noted as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select ends.id, ends.namespace, 'linked', now, payload, version
    from wanted join put using (source, target, type) join ends on ends.id = wanted.source, clock
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

# The namespace's memories come in the order of their index, each with its few links.
PAGE = """
select source.coordinate, source.namespace, target.coordinate, links.type, links.weight, links.created_at
from memories source join links on links.source = source.id
    join memories target on target.id = links.target and not target.deleted
where not source.deleted and source.namespace = %(namespace)s
    and (%(type)s::text is null or links.type = %(type)s) {behind}
order by cardinality(source.coordinate), source.coordinate, links.type collate "C", links.target
limit %(limit)s
"""
_BEHIND = """
    and (cardinality(source.coordinate), source.coordinate)
        >= (cardinality(%(place)s::double precision[]), %(place)s::double precision[])
    and (cardinality(source.coordinate), source.coordinate, links.type collate "C", links.target)
        > (cardinality(%(place)s::double precision[]), %(place)s::double precision[], %(kind)s::text, %(target)s::uuid)
"""

Run = Callable[[str, Mapping[str, Any]], Awaitable[list[tuple[Any, ...]]]]


class PostgresLinks:
    """Implements the port Links over the pool of `PostgresRecords`."""

    def __init__(self, run: Run, look_up: Run) -> None:
        self._run = run
        self._look_up = look_up

    async def link(self, link: Link, payload_json: str) -> Sequence[UUID]:
        return await self.link_many([(link, payload_json)])

    async def link_many(self, links: Sequence[tuple[Link, str]]) -> Sequence[UUID]:
        # In one order, so that two callers never wait for each other.
        ordered = sorted(links, key=lambda item: (item[0].source, item[0].type, item[0].target))
        ends = list(dict.fromkeys(place for link, _ in ordered for place in (link.source, link.target)))
        rows = await self._run(
            LINK,
            {
                "sources": [link.source for link, _ in ordered],
                "targets": [link.target for link, _ in ordered],
                "types": [link.type for link, _ in ordered],
                "weights": [link.weight for link, _ in ordered],
                "payloads": [payload for _, payload in ordered],
                "ends": ends,
            },
        )
        living = {place for (place,) in rows}
        return [place for place in ends if place not in living]

    async def unlink(self, link: Link, payload_json: str) -> bool:
        return bool(
            await self._run(
                UNLINK,
                {"source": link.source, "target": link.target, "type": link.type, "payload": payload_json},
            )
        )

    async def edges(self, sources: Sequence[UUID], link_type: str | None, limit: int) -> Sequence[Edge]:
        rows = await self._run(EDGES, {"sources": list(sources), "type": link_type, "limit": limit})
        return [Edge(source, target, tuple(place), *rest) for source, target, place, *rest in rows]

    async def page(
        self, *, namespace: str, link_type: str | None, after: LinkMark | None, limit: int
    ) -> Sequence[PlacedLink]:
        parameters: dict[str, Any] = {"namespace": namespace, "type": link_type, "limit": limit}
        if after:
            source, kind, target = after
            parameters |= {"place": array(source), "kind": kind, "target": memory_id(namespace, target)}
        rows = await self._look_up(PAGE.format(behind=_BEHIND if after else ""), parameters)
        return [PlacedLink(tuple(source), tuple(target), *rest) for source, _, target, *rest in rows]
