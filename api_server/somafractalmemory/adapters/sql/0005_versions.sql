-- What a living memory was before: its last 20 versions, kept by the statement that replaces them.
create table memory_versions (
    memory_id uuid not null references memories (id) on delete cascade,
    version bigint not null,
    memory_type text not null,
    payload jsonb not null,
    importance double precision not null,
    occurred_at double precision,
    created_at double precision not null,
    updated_at double precision not null,
    primary key (memory_id, version)
);

-- Once for each statement, whatever the number of its rows; a deletion keeps nothing, because it is meant to erase.
create function keep_versions() returns trigger language plpgsql as $$
begin
    insert into memory_versions
    select o.id, o.version, o.memory_type, o.payload, o.importance, o.occurred_at, o.created_at, o.updated_at
    from old_rows o join new_rows n using (id)
    where n.version > o.version and not o.deleted and not n.deleted;
    if found then
        delete from memory_versions v using old_rows o where v.memory_id = o.id and v.version <= o.version - 20;
    end if;
    return null;
end
$$;

create trigger memories_keep_versions after update on memories
referencing old table as old_rows new table as new_rows
for each statement execute function keep_versions();

create function forget_versions() returns trigger language plpgsql as $$
begin
    delete from memory_versions where memory_id = new.id;
    return null;
end
$$;

create trigger memories_forget_versions after update of deleted on memories
for each row when (new.deleted and not old.deleted) execute function forget_versions();
