-- Locks of services without Redis. A lock has ended once its time has passed; fences of one name only ever grow.
create sequence lock_fences as bigint;
create table locks (
    name text primary key,
    owner text not null,
    fence bigint not null,
    expires_at double precision not null
);
create index locks_ended on locks (expires_at);
