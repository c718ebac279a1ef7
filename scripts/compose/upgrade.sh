#!/bin/sh
# `make upgrade`, after an image was changed in docker-compose.yml: backup, pull, start, and how to go back.
set -eu
cd "$(dirname "$0")/../.."
former=$(docker compose ps --format '    {{.Service}}: {{.Image}}')
[ -n "$former" ] || { echo "Nothing runs that could be backed up. Start it first: make up" >&2; exit 1; }
backup=$(scripts/compose/backup.sh)
echo "Backup: $backup"
docker compose pull
status=0
docker compose up --detach --wait || status=$?
[ "$status" = 0 ] && echo "Upgraded; the gateway is ready." || echo "The new version did not become ready: make logs"
echo "To go back, put the former images into docker-compose.yml again, then (usage since the backup is lost):
    make restore FILE=$backup
The former images:
$former"
exit "$status"
