"""The SQL of exports and imports."""

from somafractalmemory.adapters.postgres_rows import COLUMNS

HISTORIES = """
select l.id, l.namespace, l.coordinate, v.memory_type, v.payload, v.importance, v.occurred_at, v.version, v.created_at,
    v.updated_at, l.access_count, l.deleted, l.accessed_at
from memory_versions v join memories l on l.id = v.memory_id and not l.deleted
where v.memory_id = any(%(ids)s::uuid[])
order by v.memory_id, v.version desc
"""

# An import that lives that long has lost its client.
BEGIN = """
with old as (delete from import_marks where created_at < now() - interval '2 days')
select extract(epoch from statement_timestamp())::double precision
"""

MARK = """
insert into import_marks (import_id, item) select %(mark)s::uuid, unnest(%(ids)s::uuid[]) on conflict do nothing
"""

LOCK = f"select {COLUMNS} from memories where id = any(%(ids)s::uuid[]) order by id for update"  # noqa: S608 - our own

RESTORE = """
with new as (
    select * from unnest(
        %(ids)s::uuid[], %(namespaces)s::text[], %(coordinates)s::text[], %(types)s::text[], %(payloads)s::text[],
        %(texts)s::text[], %(importances)s::double precision[], %(timestamps)s::double precision[],
        %(versions)s::bigint[], %(created)s::double precision[], %(updated)s::double precision[], %(counts)s::bigint[],
        %(accessed)s::double precision[], %(kinds)s::text[]
    ) as n (
        id, namespace, coordinate, memory_type, payload, search_text, importance, occurred_at, version, created_at,
        updated_at, access_count, accessed_at, kind
    )
), saved as (
    insert into memories as m (
        id, namespace, coordinate, memory_type, payload, search_text, importance, occurred_at, version, created_at,
        updated_at, access_count, accessed_at
    )
    select id, namespace, coordinate::double precision[], memory_type, payload::jsonb, search_text, importance,
        occurred_at, greatest(version, 1 + (select erased.version from erased where erased.id = new.id)), created_at,
        updated_at, access_count, accessed_at
    from new order by id
    on conflict (id) do update set
        memory_type = excluded.memory_type, payload = excluded.payload, search_text = excluded.search_text,
        importance = excluded.importance, occurred_at = excluded.occurred_at,
        version = greatest(excluded.version, m.version + 1), created_at = excluded.created_at,
        updated_at = excluded.updated_at, access_count = excluded.access_count, accessed_at = excluded.accessed_at,
        deleted = false
    returning id, version
), noted as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select id, namespace, kind, extract(epoch from statement_timestamp()), payload, saved.version
    from saved join new using (id)
)
select id, version from saved
"""

FORGET_PAST = "delete from memory_versions where memory_id = any(%(ids)s::uuid[])"

RESTORE_PAST = """
insert into memory_versions (
    memory_id, version, memory_type, payload, importance, occurred_at, created_at, updated_at
)
select memory_id, version, memory_type, payload::jsonb, importance, occurred_at, created_at, updated_at from unnest(
    %(ids)s::uuid[], %(versions)s::bigint[], %(types)s::text[], %(payloads)s::text[],
    %(importances)s::double precision[], %(timestamps)s::double precision[], %(created)s::double precision[],
    %(updated)s::double precision[]
) as v (memory_id, version, memory_type, payload, importance, occurred_at, created_at, updated_at)
on conflict do nothing
"""

PRUNE_PAST = """
delete from memory_versions v using (
    select memory_id, version, row_number() over (partition by memory_id order by version desc) as place
    from memory_versions where memory_id = any(%(ids)s::uuid[])
) as ranked
where ranked.place > 20 and v.memory_id = ranked.memory_id and v.version = ranked.version
"""

# Both ends are locked until the commit, as when a single link is put.
RESTORE_LINKS = """
with given as (
    select * from unnest(
        %(sources)s::uuid[], %(targets)s::uuid[], %(types)s::text[], %(weights)s::double precision[],
        %(times)s::double precision[], %(payloads)s::text[]
    ) as g (source, target, type, weight, created_at, payload)
), ends as materialized (
    select id, namespace, version from memories
    where id = any(%(sources)s::uuid[] || %(targets)s::uuid[]) and namespace = %(namespace)s and not deleted
    order by id for share
), fit as (
    select given.* from given
    where exists (select from ends where id = source) and exists (select from ends where id = target)
), put as (
    insert into links as l (source, target, type, weight, created_at)
    select source, target, type, weight, created_at from fit order by source, type, target
    on conflict (source, type, target) do update set weight = excluded.weight, created_at = excluded.created_at
        where (l.weight, l.created_at) is distinct from (excluded.weight, excluded.created_at)
    returning source, target, type
), noted as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select ends.id, namespace, 'linked', extract(epoch from statement_timestamp()), fit.payload, version
    from put join fit using (source, target, type) join ends on ends.id = source
), marked as (
    insert into import_marks (import_id, item)
    select %(mark)s::uuid, md5(source::text || target::text || type)::uuid from fit where %(mark)s::uuid is not null
    on conflict do nothing
)
select source, type, target from given except all select source, type, target from fit
"""

FOREIGN_TO = """
select id from memories m
where namespace = %(namespace)s and not deleted and updated_at < %(since)s
    and not exists (select from import_marks k where k.import_id = %(mark)s::uuid and k.item = m.id)
limit %(limit)s
"""

UNLINK_FOREIGN = """
with gone as (
    delete from links l using memories s
    where s.id = l.source and s.namespace = %(namespace)s and not s.deleted and l.created_at < %(since)s
        and not exists (
            select from import_marks k
            where k.import_id = %(mark)s::uuid and k.item = md5(l.source::text || l.target::text || l.type)::uuid
        )
    returning l.source, l.target, l.type, l.weight, s.namespace, s.version
), noted as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select source, namespace, 'linked', extract(epoch from statement_timestamp()), jsonb_build_object(
        'to_id', target, 'link_type', type, 'weight', weight, 'removed', true
    )::text, version
    from gone
)
select source from gone
"""

FORGET_MARKS = "delete from import_marks where import_id = %(mark)s::uuid"
