#!/bin/sh
# `make backup`: writes a dump of the database to backups/, readable by you alone, and says its name.
set -eu
umask 077
mkdir -p backups
file=backups/litellm-$(date -u +%Y-%m-%dT%H%M%SZ).dump
trap 'rm -f "$file.part"' EXIT
docker compose exec -T database pg_dump --username=litellm --format=custom litellm > "$file.part"
mv "$file.part" "$file"
echo "$file"
