# Brings the dump FILE back, in one transaction: all of it or nothing. The comment of the database says then which one
# it was (MARK), so that another run of this changes nothing, however it comes about.
set -eu
cd "$FOLDER"
PGPASSWORD="$(cat "$PASSWORD_FILE")"
export PGPASSWORD

ask() {
    psql --no-psqlrc --no-password --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"
}
mark() {
    ask --command="select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()"
}
refuse() {
    code="$1" && shift
    echo "$*" >&2
    exit "$code"
}

before="$(mark)"
if [ "$before" = "$MARK" ]; then
    echo "restored before: $MARK"
    exit 0
fi
[ -r "$FILE" ] || refuse 64 "There is no dump $FILE. There are: $(ls -1 | grep '\.dump$' | tail -n 20 | tr '\n' ' ')"
pg_restore --list "$FILE" >/dev/null || refuse 65 "$FILE is no dump of pg_dump's custom format, or is damaged."
held="$(ask --command="select exists (select from memories where not deleted)")"
if [ "$held" = t ] && [ "$REPLACE" != true ]; then
    refuse 66 "The database holds memories: set spec.restore.replaceExisting to true to replace them by the dump."
fi

# Without `commit`, which only follows a dump that was read to its end, nothing of it stays.
{
    cat <<'SQL'
set client_min_messages = warning; begin; set local lock_timeout = '60s';
-- A pod that was told to go may be late: nobody undoes what another one has brought back since this one looked.
select pg_advisory_xact_lock(hashtext('somamemory restore'));
select shobj_description(oid, 'pg_database') is not distinct from nullif(:'before', '') as is_as_before
from pg_database where datname = current_database() \gset
\if :is_as_before
\else
\q
\endif
drop schema public cascade; create schema public; grant usage on schema public to public;
SQL
    pg_restore --no-owner --file=- "$FILE" && cat <<'SQL'
-- Quoted by a word: of two dollars in a container's command Kubernetes makes one.
do $tasks$ begin
    -- How far long tasks had come is about an index that is no more.
    if to_regclass('public.long_tasks') is not null then delete from public.long_tasks; end if;
end $tasks$;
comment on database :"DBNAME" is :'mark';
commit;
SQL
} | ask --set=mark="$MARK" --set=before="$before" >/dev/null || refuse 1 "The dump could not be brought back; the database is as it was."

now="$(mark)"
if [ "$now" != "$MARK" ]; then
    [ "$now" = "$before" ] || refuse 67 "Another dump has been brought back meanwhile: $now. This one has changed nothing."
    refuse 1 "The dump could not be read to its end; the database is as it was."
fi
ask --command="analyze" || echo "The planner's statistics are as they were; they follow by themselves."
echo "restored: $MARK"
