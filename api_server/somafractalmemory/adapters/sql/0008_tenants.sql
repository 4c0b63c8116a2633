-- Namespaces are kept apart by the server, too: a statement of a request sees those in `soma.namespaces` and nothing
-- else, whatever it asks for. Requests run as a role of their own, so that the owner's statements (relay, consumer,
-- rebuild) are planned without these conditions. An owner who may not make roles is bound itself, and says '*'.
create policy own_namespace on memories
    using (namespace = any ((select string_to_array(current_setting('soma.namespaces', true), ','))::text[]));
create policy own_namespace on outbox
    using (namespace = any ((select string_to_array(current_setting('soma.namespaces', true), ','))::text[]));
create policy own_namespace on memory_events
    using (namespace = any ((select string_to_array(current_setting('soma.namespaces', true), ','))::text[]));
create policy own_namespace on audit
    using (namespace = any ((select string_to_array(current_setting('soma.namespaces', true), ','))::text[]));
create policy own_namespace on importance_windows
    using (namespace = any ((select string_to_array(current_setting('soma.namespaces', true), ','))::text[]));
-- The memories that these belong to are themselves looked at under their policy.
create policy own_namespace on links using (exists (select from memories where id = source));
create policy own_namespace on memory_versions using (exists (select from memories where id = memory_id));

do $$
declare
    confined boolean := false;
    guarded text;
begin
    begin
        create role somamemory_request nologin;
    exception
        when duplicate_object or unique_violation or insufficient_privilege then null;
    end;
    begin
        if not (select rolsuper from pg_roles where rolname = current_user) then
            execute format('grant somamemory_request to %I', current_user);
        end if;
    exception
        when undefined_object or insufficient_privilege or invalid_grant_operation then null;
    end;
    begin
        set local role somamemory_request;
        set local role none;
        confined := true;
    exception
        when undefined_object or insufficient_privilege or invalid_parameter_value then null;
    end;

    foreach guarded in array
        array['memories', 'links', 'memory_versions', 'outbox', 'memory_events', 'audit', 'importance_windows']
    loop
        execute format('alter table %I enable row level security', guarded);
        if not confined then
            execute format('alter table %I force row level security', guarded);
            execute format(
                'create policy every_namespace on %I using ((select current_setting(''soma.namespaces'', true)) = ''*'')',
                guarded
            );
        end if;
    end loop;

    if confined then
        execute format('grant usage on schema %I to somamemory_request', current_schema());
        execute format(
            'grant select, insert, update, delete on all tables in schema %I to somamemory_request', current_schema()
        );
        execute format('grant usage on all sequences in schema %I to somamemory_request', current_schema());
        execute format(
            'alter default privileges in schema %I grant select, insert, update, delete on tables to somamemory_request',
            current_schema()
        );
        execute format(
            'alter default privileges in schema %I grant usage on sequences to somamemory_request', current_schema()
        );
        revoke insert, update, delete on schema_migrations from somamemory_request;
    end if;
end
$$;
