#!/bin/sh
# `make restore FILE=...`: puts the data of a backup in place of the present ones, which stay as database before_restore.
set -eu
file=${FILE:-}
[ -f "$file" ] && [ -r "$file" ] || { echo "Say which backup: make restore FILE=backups/litellm-....dump" >&2; exit 1; }

database() { docker compose exec -T database "$@"; }
sql() { database psql --username=litellm --dbname=postgres --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --command="$1"; }

docker compose up --detach --wait database redis
sql 'DROP DATABASE IF EXISTS restoring'
sql 'CREATE DATABASE restoring'
# Into a database of its own first: a damaged file changes nothing.
if ! database pg_restore --username=litellm --dbname=restoring --exit-on-error --single-transaction < "$file"; then
    sql 'DROP DATABASE restoring'
    echo "$file cannot be restored; the present data are unchanged." >&2
    exit 1
fi

docker compose stop gateway
# Redis has the keys, limits and spend of the data that go.
docker compose exec -T redis sh -c 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli FLUSHALL' > /dev/null
sql 'DROP DATABASE IF EXISTS before_restore'
sql 'ALTER DATABASE litellm RENAME TO before_restore; ALTER DATABASE restoring RENAME TO litellm'
docker compose up --detach --wait
echo "Restored $file. The former data stay in the database before_restore until the next restore."
