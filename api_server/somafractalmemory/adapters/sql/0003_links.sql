-- Links between memories. They go with either end: with its row, and, by the trigger, when it becomes a tombstone.
create table links (
    source uuid not null references memories (id) on delete cascade,
    target uuid not null references memories (id) on delete cascade,
    type text not null,
    weight double precision not null check (weight >= 0),
    created_at double precision not null,
    primary key (source, type, target)
);

create index links_incoming on links (target);

-- A trigger looks after the row is locked, so it also sees a link that was committed while the deletion waited.
create function forget_links() returns trigger language plpgsql as $$
begin
    delete from links where source = new.id or target = new.id;
    return null;
end
$$;

create trigger memories_forget_links after update of deleted on memories
for each row when (new.deleted and not old.deleted) execute function forget_links();
