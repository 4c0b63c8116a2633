-- Keys and values of programs that use `implementations.async_storage`; memories are elsewhere. A key holds a value, or
-- a hash of fields (both sides base64, so that any bytes fit), and one row for each key makes that true for everybody.
create table kv_store (
    namespace text not null,
    key text collate "C" not null,
    value bytea,
    fields jsonb,
    primary key (namespace, key),
    check (num_nonnulls(value, fields) = 1)
);
