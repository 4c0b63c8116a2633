"""The SQL of the Postgres adapter. Every statement is its own transaction, so one round trip decides."""

from somafractalmemory.adapters.postgres_rows import COLUMNS

# A row is created when this statement set both times: an update keeps the older one. The outbox row of a memory is
# numbered after its row is locked, so the numbers of one memory follow its versions.
SAVE = """
with new as (
    select * from json_to_recordset(%(rows)s::json) as n (
        id uuid, namespace text, coordinate double precision[], memory_type text, payload json, search_text text,
        importance double precision, occurred_at double precision
    )
), clock as (
    select extract(epoch from statement_timestamp())::double precision as now
), saved as (
    insert into memories as m (
        id, namespace, coordinate, memory_type, payload, search_text, importance, occurred_at, version, created_at,
        updated_at
    )
    select id, namespace, coordinate, memory_type, payload::jsonb, search_text, importance, occurred_at,
        1 + coalesce((select erased.version from erased where erased.id = new.id), 0), now, now
    from new, clock
    order by id
    on conflict (id) do update set
        memory_type = excluded.memory_type, payload = excluded.payload, search_text = excluded.search_text,
        importance = excluded.importance, occurred_at = excluded.occurred_at, version = m.version + 1,
        created_at = case when m.deleted then excluded.created_at else m.created_at end,
        updated_at = excluded.updated_at, deleted = false
    returning id, version, updated_at, created_at = updated_at as created
), noted as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select id, namespace, case when created then 'created' else 'updated' end, updated_at, payload::text, version
    from saved join new using (id)
)
select id, version, created from saved
"""

REPLACE = """
with saved as (
    update memories set
        memory_type = %(type)s, payload = %(payload)s::jsonb, search_text = %(text)s, importance = %(importance)s,
        occurred_at = %(timestamp)s, version = version + 1, updated_at = extract(epoch from statement_timestamp())
    where id = %(id)s and version = %(expected)s and not deleted
    returning id, namespace, version, updated_at
), noted as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select id, namespace, 'updated', updated_at, %(payload)s::text, version from saved
)
select version from saved
"""

DELETE = """
with gone as (
    update memories set
        deleted = true, payload = '{}', search_text = '', importance = 0, occurred_at = null, version = version + 1,
        updated_at = extract(epoch from statement_timestamp()), access_count = 0, accessed_at = null
    where id = any(%(ids)s::uuid[]) and not deleted and (%(expected)s::bigint is null or version = %(expected)s)
    returning id, namespace, coordinate, version, updated_at
), noted as (
    insert into outbox (memory_id, namespace, type, occurred_at, payload, version)
    select id, namespace, 'deleted', updated_at, '{}', version from gone
), audited as (
    insert into audit (at, caller, action, namespace, coordinate, memory_id, request_id)
    select updated_at, %(caller)s::text, 'delete', namespace, coordinate, id, %(request_id)s::text from gone
    where %(caller)s::text is not null
)
select id, version from gone
"""

GET = f"select {COLUMNS} from memories where id = any(%(ids)s::uuid[])"  # noqa: S608 - our own column names

# Memories that only foreign events tell of, each by its latest event.
GET_FOREIGN = """
select distinct on (id) id, namespace, type, "timestamp", payload from memory_events
where id = any(%(ids)s::uuid[]) and version is null
order by id, "timestamp" desc, event_id
"""

SCAN_FOREIGN = """
select distinct on (id) id, namespace, type, "timestamp", payload from memory_events
where version is null and (%(after)s::uuid is null or id > %(after)s)
    and not exists (select from memories where memories.id = memory_events.id)
order by id, "timestamp" desc, event_id
limit %(limit)s
"""

# Any word counts; plainto_tsquery does the splitting and quoting, and its ANDs become ORs.
FIND_TEXT = f"""
with asked as (select replace(plainto_tsquery('simple', %(query)s)::text, ' & ', ' | ')::tsquery as words)
select {COLUMNS}, ts_rank(memories.words, asked.words) as score
from memories, asked
where memories.words @@ asked.words and not deleted and namespace = %(namespace)s
    and (%(memory_type)s::text is null or memory_type = %(memory_type)s)
    and not exists (
        select from jsonb_each(%(filters)s::jsonb) as filter
        where memories.payload -> filter.key is distinct from filter.value
    )
order by score desc, id
limit %(limit)s
"""  # noqa: S608 - our own column names

COUNT = (
    "select memory_type, count(*) from memories where namespace = %(namespace)s and not deleted group by memory_type"
)

SCAN = f"""
select {COLUMNS} from memories where not deleted and (%(after)s::uuid is null or id > %(after)s)
order by id limit %(limit)s
"""  # noqa: S608 - our own column names

LEAD = "select pg_try_advisory_lock(hashtextextended('somamemory.relay', 0))"
STOP_LEADING = "select pg_advisory_unlock(hashtextextended('somamemory.relay', 0))"

# A place never changes; the type is the present one, as the index will see it.
PENDING = """
select number, event_id, memory_id, o.namespace, o.type, o.occurred_at, o.payload, o.version, coordinate, memory_type,
    traceparent
from (select * from outbox order by number limit %(limit)s) as o left join memories on id = memory_id
order by number
"""

DONE = "delete from outbox where number = any(%(numbers)s::bigint[])"

# New entries of the word and letter indexes gather in lists. Left alone, a writer merges such a list in the middle of
# its own statement, once it has 4 MB: with 12-word memories every 3,000th write took 0.3 s.
TIDY = """
select gin_clean_pending_list(pg_class.oid::regclass) from pg_index join pg_class on pg_class.oid = indexrelid
where indrelid = to_regclass('memories') and relam = (select oid from pg_am where amname = 'gin')
    and pg_has_role(relowner, 'usage')
"""

# The oldest row tells the age; counting stops where it would become slow, a backlog of that size is told anyway.
DEPTH = """
select (select count(*) from (select from outbox limit 1000000) as counted),
    coalesce(extract(epoch from now())
        - (select occurred_at from outbox order by number limit 1), 0)::double precision
"""

APPEND = """
insert into memory_events (event_id, id, namespace, type, "timestamp", payload, version)
select event_id, id, namespace, type, moment, payload::jsonb, version from json_to_recordset(%(rows)s::json) as e (
    event_id uuid, id uuid, namespace text, type text, moment double precision, payload json, version bigint
)
where not exists (
    select from erased where erased.id = e.id
        and case when e.version is null then e.moment <= erased_at else e.version <= erased.version end
)
order by event_id
on conflict (event_id) do nothing
"""

APPLIED_MIGRATIONS = "select name from schema_migrations"
