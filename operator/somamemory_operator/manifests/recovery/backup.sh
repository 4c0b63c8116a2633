# Dumps the database into FOLDER and keeps the KEEP newest dumps of PREFIX; all of them while one is RESTORING. A dump that is not whole never has a name
# under which it could be restored.
set -eu
umask 007
cd "$FOLDER"
PGPASSWORD="$(cat "$PASSWORD_FILE")"
export PGPASSWORD

name="$PREFIX-$(date -u +%Y%m%dT%H%M%SZ).dump"
part=".$name.$(hostname).part"
trap 'rm -f "$part"' EXIT
find . -maxdepth 1 -name ".$PREFIX-*.part" -mmin +1440 -exec rm -f {} +

pg_dump --format=custom --no-password --file="$part"
pg_restore --list "$part" >/dev/null
sync
mv "$part" "$name"
echo "dumped $(stat -c %s "$name") bytes to $name"

if [ -n "${RESTORING:-}" ]; then
    echo "nothing is removed while $RESTORING is to be brought back"
    exit 0
fi
# The names sort by time; those of another PREFIX that begins like ours do not match.
ls -1 | grep -x "$PREFIX-[0-9]\{8\}T[0-9]\{6\}Z\.dump" | sort -r | tail -n +"$((KEEP + 1))" | while read -r old; do
    rm -f "$old"
    echo "removed $old"
done
