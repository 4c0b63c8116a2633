-- The trace that an event belongs to. A statement that is traced carries `soma.traces`: W3C's traceparent for each memory,
-- or one for all of them. While nothing is traced the trigger costs one look at that setting.
alter table outbox add column traceparent text;

create function note_trace() returns trigger language plpgsql as $$
begin
    new.traceparent := coalesce(
        current_setting('soma.traces')::jsonb ->> new.memory_id::text, current_setting('soma.traces')::jsonb ->> '*'
    );
    return new;
end
$$;

create trigger outbox_note_trace before insert on outbox
for each row when (current_setting('soma.traces', true) <> '') execute function note_trace();
