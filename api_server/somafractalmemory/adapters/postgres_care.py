"""Use and age of memories in Postgres: windows of importance, counts of retrievals, chores, decay, the size limit."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from somafractalmemory.adapters.postgres_links import Run
from somafractalmemory.adapters.postgres_rows import COLUMNS, memory_of
from somafractalmemory.model import SEALED, Memory
from somafractalmemory.model.importance import EVERY, FEW, KEPT, Heard, Window
from somafractalmemory.ports.care import Access, Ages, Changed

# What `Window.add` does, in one step that no other process can come between.
_TRIMMED = (
    f"(w.recent || excluded.recent)[greatest(1, cardinality(w.recent) + cardinality(excluded.recent) - {KEPT - 1}):]"
)
_RENEWED = f"cardinality(w.basis) < {FEW} or w.inserted + excluded.inserted - w.based_at >= {EVERY}"
LEARN = f"""
insert into importance_windows as w (namespace, recent, inserted, basis, based_at)
values (%(namespace)s, %(values)s, %(count)s, %(values)s, %(count)s)
on conflict (namespace) do update set
    recent = {_TRIMMED},
    inserted = w.inserted + excluded.inserted,
    basis = case when {_RENEWED} then {_TRIMMED} else w.basis end,
    based_at = case when {_RENEWED} then w.inserted + excluded.inserted else w.based_at end
returning recent, inserted, basis, based_at
"""  # noqa: S608 - our own numbers

WINDOWS = """
select namespace, recent, inserted, basis, based_at from importance_windows
where namespace = any(%(namespaces)s::text[])
"""

# Locked in the order in which everybody locks them.
ACCESSED = """
with told as (
    select * from unnest(%(ids)s::uuid[], %(counts)s::bigint[], %(times)s::double precision[]) as t (id, count, at)
), locked as materialized (
    select id from memories join told using (id) where not deleted order by id for no key update of memories
)
update memories set access_count = access_count + told.count, accessed_at = greatest(accessed_at, told.at)
from told join locked using (id)
where memories.id = told.id
"""

HOLD = """
insert into chores as c (name, holder, held_until)
values (%(chore)s, %(holder)s, extract(epoch from now()) + %(seconds)s)
on conflict (name) do update set holder = excluded.holder, held_until = excluded.held_until
where c.holder = excluded.holder or c.held_until < extract(epoch from now())
returning done_until
"""

DONE = """
update chores set done_until = greatest(done_until, %(until)s)
where name = %(chore)s and holder = %(holder)s and held_until >= extract(epoch from now())
"""

AGED = f"""
select {COLUMNS} from memories
where not deleted and updated_at >= %(since)s and updated_at < %(until)s
    and payload ?| %(keys)s::text[]
    and (%(after)s::uuid is null or (updated_at, id) > (%(after_at)s::double precision, %(after)s::uuid))
order by updated_at, id
limit %(limit)s
"""  # noqa: S608 - our own column names

_FORMER = """
select m.id, m.namespace, m.coordinate, v.memory_type, v.payload, v.importance, v.occurred_at, v.version, v.created_at,
    v.updated_at, m.access_count, m.deleted, m.accessed_at
from memory_versions v join memories m on m.id = v.memory_id
"""

AGED_FORMER = f"""
{_FORMER}
where v.updated_at >= %(since)s and v.updated_at < %(until)s and v.payload ?| %(keys)s::text[]
    and (
        %(after)s::uuid is null
        or (v.updated_at, v.memory_id, v.version)
            > (%(after_at)s::double precision, %(after)s::uuid, %(after_version)s::bigint)
    )
order by v.updated_at, v.memory_id, v.version
limit %(limit)s
"""

SHED = """
with new as (
    select * from unnest(%(ids)s::uuid[], %(versions)s::bigint[], %(payloads)s::text[], %(texts)s::text[])
        as n (id, version, payload, search_text)
), locked as materialized (
    select id, memories.version from memories join new using (id, version) where not deleted
    order by id for update of memories
), saved as (
    update memories m set payload = new.payload::jsonb, search_text = new.search_text, version = m.version + 1
    from new join locked using (id, version)
    where m.id = new.id
    returning m.id, m.namespace, m.version, new.payload
), noted as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select id, namespace, 'updated', extract(epoch from statement_timestamp()), payload, version from saved
)
select id from saved
"""

SHED_FORMER = """
update memory_versions v set payload = new.payload::jsonb
from unnest(%(ids)s::uuid[], %(versions)s::bigint[], %(payloads)s::text[]) as new (id, version, payload)
where v.memory_id = new.id and v.version = new.version
returning v.memory_id
"""

# Jumps from one namespace to the next in the index, whatever the number of memories in each.
NAMESPACES = """
with recursive found as (
    (select namespace from memories where not deleted order by namespace limit 1)
    union all
    select (
        select m.namespace from memories m where not m.deleted and m.namespace > found.namespace
        order by m.namespace limit 1
    ) from found where found.namespace is not null
)
select namespace from found where namespace is not null
"""

# Counts no further than it would delete; whoever wrote in between is seen by the second look at the row.
PRUNE = """
with excess as (
    select greatest(count(*) - %(keep)s, 0) as number from (
        select from memories where namespace = %(namespace)s and not deleted limit %(keep)s + %(limit)s
    ) as counted
), chosen as (
    select id, version from memories where namespace = %(namespace)s and not deleted
    order by importance, updated_at limit (select number from excess)
), locked as materialized (
    select id from memories join chosen using (id, version) where not deleted order by id for update of memories
), gone as (
    update memories m set
        deleted = true, payload = '{}', search_text = '', importance = 0, occurred_at = null, version = m.version + 1,
        updated_at = extract(epoch from statement_timestamp()), access_count = 0, accessed_at = null
    from locked where m.id = locked.id
    returning m.id, m.namespace, m.version, m.updated_at
), noted as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select id, namespace, 'deleted', updated_at, '{}', version from gone
)
select id from gone
"""

SEALED_BY_OTHERS = f"""
select * from (
    select {COLUMNS} from memories where not deleted and payload ? '{SEALED}'
    union all
    {_FORMER} where v.payload ? '{SEALED}'
) as states
where left(payload ->> '{SEALED}', length(%(not_by)s)) <> %(not_by)s
    and (%(after)s::uuid is null or (id, version) > (%(after)s::uuid, %(after_version)s::bigint))
order by id, version
limit %(limit)s
"""  # noqa: S608 - our own names

RESEAL = f"""
with present as (
    update memories set payload = jsonb_set(payload, '{{{SEALED}}}', to_jsonb(%(new)s::text))
    where id = %(id)s and version = %(version)s and payload ->> '{SEALED}' = %(old)s
    returning id
), former as (
    update memory_versions set payload = jsonb_set(payload, '{{{SEALED}}}', to_jsonb(%(new)s::text))
    where memory_id = %(id)s and version = %(version)s and payload ->> '{SEALED}' = %(old)s
    returning memory_id
)
select id from present union all select memory_id from former
"""  # noqa: S608 - our own names


class PostgresCare:
    """Implements the port Care over the pool of `PostgresRecords`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def learn(self, namespace: str, heard: Heard) -> Window:
        parameters = {"namespace": namespace, "values": list(heard.values), "count": heard.count}
        return _window((await self._run(LEARN, parameters))[0])

    async def windows(self, namespaces: Sequence[str]) -> Mapping[str, Window]:
        rows = await self._run(WINDOWS, {"namespaces": list(namespaces)})
        return {namespace: _window(rest) for namespace, *rest in rows}

    async def accessed(self, accesses: Sequence[Access]) -> None:
        await self._run(
            ACCESSED,
            {
                "ids": [access.id for access in accesses],
                "counts": [access.count for access in accesses],
                "times": [access.at for access in accesses],
            },
        )

    async def hold(self, chore: str, holder: UUID, seconds: float) -> float | None:
        rows = await self._run(HOLD, {"chore": chore, "holder": holder, "seconds": seconds})
        return float(rows[0][0]) if rows else None

    async def done(self, chore: str, holder: UUID, until: float) -> None:
        await self._run(DONE, {"chore": chore, "holder": holder, "until": until})

    async def aged(self, ages: Ages, after: Memory | None, limit: int, *, former: bool) -> Sequence[Memory]:
        parameters: dict[str, Any] = {
            "since": ages.since,
            "until": ages.until,
            "keys": [*ages.keys, SEALED],
            "after": after.id if after else None,
            "after_at": after.updated_at if after else None,
            "after_version": after.version if after else None,
            "limit": limit,
        }
        return [memory_of(row) for row in await self._run(AGED_FORMER if former else AGED, parameters)]

    async def shed(self, changed: Sequence[Changed], *, former: bool) -> int:
        parameters = {
            "ids": [each.id for each in changed],
            "versions": [each.version for each in changed],
            "payloads": [each.payload_json for each in changed],
            "texts": [each.text for each in changed],
        }
        return len(await self._run(SHED_FORMER if former else SHED, parameters))

    async def namespaces(self) -> Sequence[str]:
        return [namespace for (namespace,) in await self._run(NAMESPACES, {})]

    async def prune(self, namespace: str, keep: int, limit: int) -> int:
        return len(await self._run(PRUNE, {"namespace": namespace, "keep": keep, "limit": limit}))

    async def sealed(self, not_by: str, after: tuple[UUID, int] | None, limit: int) -> Sequence[Memory]:
        place, version = after or (None, None)
        parameters = {"not_by": not_by, "after": place, "after_version": version, "limit": limit}
        return [memory_of(row) for row in await self._run(SEALED_BY_OTHERS, parameters)]

    async def reseal(self, place: UUID, version: int, old: str, new: str) -> bool:
        return bool(await self._run(RESEAL, {"id": place, "version": version, "old": old, "new": new}))


def _window(row: Sequence[Any]) -> Window:
    recent, inserted, basis, based_at = row
    return Window(tuple(recent), inserted, tuple(basis), based_at)
