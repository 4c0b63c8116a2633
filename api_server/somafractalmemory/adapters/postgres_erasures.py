"""Taking memories out of every table for good. Each statement is its own transaction, so a run can end anywhere."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from somafractalmemory.adapters.postgres_links import Run

# Former versions and links go with their rows. What waits in the outbox gives way to the news that the memory is gone.
ERASE = """
with wanted as (
    select * from unnest(%(ids)s::uuid[]) as w (id)
), clock as (
    select extract(epoch from statement_timestamp())::double precision as now
), doomed as materialized (
    select id, namespace, version, deleted from memories where id = any(%(ids)s::uuid[]) order by id for update
), known as (
    select memory_versions.version from memory_versions join doomed on doomed.id = memory_id
), tied as (
    select source from links
    where source = any(%(ids)s::uuid[]) or target = any(%(ids)s::uuid[])
), gone as (
    delete from memories using doomed where memories.id = doomed.id returning memories.id
), logged as (
    delete from memory_events where id = any(%(ids)s::uuid[]) returning id
), unpublished as (
    delete from outbox where memory_id = any(%(ids)s::uuid[]) and type <> 'deleted' returning number
), noted as (
    insert into erased as e (id, version, erased_at)
    select id, coalesce(doomed.version, 0) + 1, now from wanted left join doomed using (id), clock
    where doomed.id is not null or id in (select id from logged)
    on conflict (id) do update set version = greatest(e.version, excluded.version), erased_at = excluded.erased_at
), told as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select id, namespace, 'deleted', now, '{}', version + 1 from doomed, clock where not deleted
)
select
    (select count(*) from doomed where not deleted), (select count(*) from doomed where deleted),
    (select count(*) from known), (select count(*) from tied), (select count(*) from logged),
    (select count(*) from unpublished)
"""
_COUNTED = ("memories", "tombstones", "versions", "links", "logged_events", "unpublished_events")

# Logged events of memories that the truth does not know any more, such as after a restored backup.
ERASE_EVENTS = """
with picked as materialized (
    select event_id, id, version from memory_events where namespace = %(namespace)s limit %(limit)s
), gone as (
    delete from memory_events using picked where memory_events.event_id = picked.event_id
), noted as (
    insert into erased as e (id, version, erased_at)
    select id, coalesce(max(version), 0) + 1, extract(epoch from statement_timestamp()) from picked
    where not exists (select from memories where memories.id = picked.id) group by id
    on conflict (id) do update set version = greatest(e.version, excluded.version), erased_at = excluded.erased_at
)
select count(*) from picked
"""

ERASE_AUDIT = """
with gone as (
    delete from audit where number in (
        select number from audit
        where namespace = %(namespace)s and (%(place)s::uuid is null or memory_id = %(place)s::uuid) limit %(limit)s
    ) returning number
)
select count(*) from gone
"""

ERASE_KEYS = """
with gone as (
    delete from request_keys where (caller, namespace, operation, key) in (
        select caller, namespace, operation, key from request_keys where namespace = %(namespace)s limit %(limit)s
    ) returning key
)
select count(*) from gone
"""

ERASE_SCALE = """
with gone as (delete from importance_windows where namespace = %(namespace)s returning namespace)
select count(*) from gone
"""

_REST = {
    "logged_events": ERASE_EVENTS,
    "audit_rows": ERASE_AUDIT,
    "request_keys": ERASE_KEYS,
    "importance_scales": ERASE_SCALE,
}


class PostgresErasures:
    """Implements the port Erasures over the pool of `PostgresRecords`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def erase(self, ids: Sequence[UUID]) -> Mapping[str, int]:
        (row,) = await self._run(ERASE, {"ids": list(ids)})
        return dict(zip(_COUNTED, row, strict=True))

    async def erase_rest(self, namespace: str, limit: int) -> Mapping[str, int]:
        asked: dict[str, Any] = {"namespace": namespace, "limit": limit, "place": None}
        return {name: (await self._run(statement, asked))[0][0] for name, statement in _REST.items()}

    async def erase_trail(self, namespace: str, place: UUID, limit: int) -> int:
        rows = await self._run(ERASE_AUDIT, {"namespace": namespace, "place": place, "limit": limit})
        return int(rows[0][0])
