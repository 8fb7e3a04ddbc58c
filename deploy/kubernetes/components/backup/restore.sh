#!/bin/bash
# Restores both databases from a backup: $BACKUP, or the newest. Each is replaced completely or not at
# all.
set -euo pipefail
. /scripts/wait-for.sh

backup=/backups/${BACKUP:-$(cd /backups && ls -d -- *Z | tail -n 1)}
for database in thoughts users; do
    url=$(cat "/etc/mythoughts/$database-database-owner/url")
    wait_for "$url"
    pg_restore --clean --if-exists --no-owner --single-transaction --exit-on-error --dbname="$url" \
        "$backup/$database.dump"
done
echo "Restored $(basename "$backup")."
