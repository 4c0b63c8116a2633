-- What an import that replaces a namespace has brought so far: memories, and links by a digest of their key. It tells at
-- the end what was not brought. Emptied by its import, and of those that died by the next one.
create table import_marks (
    import_id uuid not null,
    item uuid not null,
    created_at timestamptz not null default now(),
    primary key (import_id, item)
);
