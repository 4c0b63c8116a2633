#!/bin/sh
# Makes a database cluster on an empty volume, then becomes the given command (`postgres …`).
# PG_VERSION comes last: a start that was killed half-way has none, and is begun again.
set -eu

setting() { # NAME DEFAULT: the value of NAME, or the content of the file that NAME_FILE names
  eval "value=\${$1:-} file=\${$1_FILE:-}"
  if [ -n "$file" ]; then cat "$file"; else printf %s "${value:-$2}"; fi
}

run_scripts() { # every script of /docker-entrypoint-initdb.d, in the order of their names
  for script in /docker-entrypoint-initdb.d/*; do
    case "$script" in
      *.sh) echo "running $script"; . "$script" ;;
      *.sql) echo "running $script"; psql -v ON_ERROR_STOP=1 --no-psqlrc -f "$script" ;;
      *.sql.gz) echo "running $script"; gunzip -c "$script" | psql -v ON_ERROR_STOP=1 --no-psqlrc ;;
    esac
  done
}

make_cluster() { # FOLDER
  rm -rf "$1"
  password=$(mktemp)
  setting POSTGRES_PASSWORD '' > "$password"
  if [ ! -s "$password" ]; then
    echo "POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must name the password of the first user" >&2
    exit 1
  fi
  # shellcheck disable=SC2086  # POSTGRES_INITDB_ARGS is a list of words
  initdb --pgdata="$1" --username="$user" --pwfile="$password" --auth-local=trust --auth-host=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 ${POSTGRES_INITDB_ARGS:-}
  rm "$password"
  echo "host all all all scram-sha-256" >> "$1/pg_hba.conf"
  echo "listen_addresses = '*'" >> "$1/postgresql.conf"
  sockets=$(mktemp -d)
  pg_ctl --pgdata="$1" --wait --silent -o "-c listen_addresses='' -c unix_socket_directories='$sockets'" start
  export PGHOST="$sockets" PGUSER="$user"
  [ "$database" = postgres ] || createdb "$database"
  export PGDATABASE="$database"
  run_scripts
  pg_ctl --pgdata="$1" --wait --silent --mode=fast stop
  unset PGHOST PGUSER PGDATABASE
  rm -rf "$sockets"
}

case "${1:-}" in -*) set -- postgres "$@" ;; esac
if [ "${1:-postgres}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=$(setting POSTGRES_USER postgres)
  database=$(setting POSTGRES_DB "$user")
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA" || true
  unfinished="$PGDATA/.unfinished"
  others() { find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name .unfinished "$@"; }
  if [ -n "$(others)" ]; then
    [ -d "$unfinished" ] || { echo "$PGDATA is not empty and holds no database cluster: empty it first" >&2; exit 1; }
    others -exec rm -rf {} +
  fi
  make_cluster "$unfinished"
  find "$unfinished" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv {} "$PGDATA/" \;
  sync
  mv "$unfinished/PG_VERSION" "$PGDATA/PG_VERSION"
  rmdir "$unfinished"
fi
exec "$@"
