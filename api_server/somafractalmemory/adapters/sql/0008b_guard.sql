-- Guards every table that has a column `namespace` and is not guarded yet, as 0008 did. A step that makes such a table
-- ends with `select guard_namespaces()`.
create function guard_namespaces() returns void language plpgsql as $$
declare
    forced constant boolean := (select relforcerowsecurity from pg_class where oid = 'memories'::regclass);
    guarded regclass;
begin
    for guarded in
        select c.oid::regclass from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'namespace'
        where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace and not c.relrowsecurity
    loop
        execute format(
            'create policy own_namespace on %s using (namespace = any '
            '((select string_to_array(current_setting(''soma.namespaces'', true), '',''))::text[]))',
            guarded
        );
        execute format('alter table %s enable row level security', guarded);
        if forced then
            execute format('alter table %s force row level security', guarded);
            execute format(
                'create policy every_namespace on %s using ((select current_setting(''soma.namespaces'', true)) = ''*'')',
                guarded
            );
        end if;
    end loop;
end
$$;

select guard_namespaces();
