-- Requests that carry an Idempotency-Key: reserved before the work, completed with the answer after it, and forgotten a
-- day later.
create table request_keys (
    caller text not null,
    namespace text not null,
    operation text not null,
    key text not null,
    digest bytea not null,
    owner uuid not null,
    reserved_until timestamptz not null,
    expires_at timestamptz not null,
    status integer,
    headers jsonb,
    body bytea,
    primary key (caller, namespace, operation, key)
);

create index request_keys_by_end on request_keys (expires_at);
