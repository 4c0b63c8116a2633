-- Where long tasks of operation stand, so that one that was interrupted goes on instead of starting again.
create table long_tasks (
    task text primary key,
    progress jsonb not null,
    updated_at timestamptz not null default now()
);
