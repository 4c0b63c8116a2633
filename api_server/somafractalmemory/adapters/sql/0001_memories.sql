-- The truth. One row for each place; a deleted memory stays as a tombstone, so that its version is never reused.
create table memories (
    id uuid primary key,
    namespace text not null,
    coordinate double precision[] not null,
    memory_type text not null check (memory_type in ('episodic', 'semantic')),
    payload jsonb not null,
    search_text text not null,
    importance double precision not null,
    occurred_at double precision,
    version bigint not null,
    created_at double precision not null,
    updated_at double precision not null,
    access_count bigint not null default 0,
    deleted boolean not null default false,
    words tsvector generated always as (to_tsvector('simple', search_text)) stored
);

create index memories_living on memories (namespace, memory_type) where not deleted;
-- Only recalls without the index look here, so pending entries may pile up: writes come first.
create index memories_words on memories using gin (words) with (fastupdate = on);

-- What happened but has not been published yet; written by the same statement as the memory.
create table outbox (
    number bigint generated always as identity primary key,
    event_id uuid not null default gen_random_uuid(),
    memory_id uuid not null,
    namespace text not null,
    type text not null,
    occurred_at double precision not null,
    payload text not null,
    version bigint not null
);

-- What came back through Kafka.
create table memory_events (
    event_id uuid primary key,
    id uuid not null,
    namespace text not null,
    type text not null,
    "timestamp" double precision not null,
    payload jsonb not null,
    version bigint
);

create index memory_events_by_time on memory_events (namespace, "timestamp");
create index memory_events_by_memory on memory_events (id);
