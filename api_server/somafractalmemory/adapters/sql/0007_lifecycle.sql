-- When a memory was last retrieved; written late and in batches, so it may lag by seconds.
alter table memories add column accessed_at double precision;

-- The most and least important, oldest first among equals; and the latest. The tree of changes is small: what is due for
-- decay is looked for by time, rarely, and lies together on disk.
create index memories_by_importance on memories (namespace, importance, updated_at) where not deleted;
create index memories_by_moment on memories (namespace, (coalesce(occurred_at, updated_at))) where not deleted;
create index memories_by_change on memories using brin (updated_at) with (autosummarize = on);
create index memory_versions_by_change on memory_versions using brin (updated_at) with (autosummarize = on);

-- What each namespace's callers lately called important, and the part of it that the present scale was made of.
create table importance_windows (
    namespace text primary key,
    recent double precision[] not null,
    inserted bigint not null,
    basis double precision[] not null,
    based_at bigint not null
);

-- Who looks after the memories until when, and up to which time each chore is done.
create table chores (
    name text primary key,
    holder uuid,
    held_until double precision not null default 0,
    done_until double precision not null default 0
);

-- Who did what, when. Rows are added in the transaction of the deed and never changed; old ones go.
create table audit (
    number bigint generated always as identity primary key,
    at double precision not null,
    caller text not null,
    action text not null,
    namespace text not null,
    coordinate double precision[],
    memory_id uuid,
    request_id text,
    details jsonb not null default '{}'
);
create index audit_by_namespace on audit (namespace, number);
