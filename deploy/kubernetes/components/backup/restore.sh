#!/bin/bash
# Restores both databases from a backup: $BACKUP, or the newest. Each is replaced completely or not at
# all.
set -euo pipefail
. /scripts/wait-for.sh

newest=$(find /backups -maxdepth 1 -name '*Z' -printf '%f\n' | sort | tail -n 1)
backup=${BACKUP:-$newest}
if [ ! -d "/backups/${backup:-none}" ]; then
    echo "There is no backup ${backup:-yet}." >&2
    exit 1
fi
for database in thoughts users; do
    url=$(cat "/etc/mythoughts/$database-database-owner/url")
    wait_for "$url"
    pg_restore --clean --if-exists --no-owner --single-transaction --exit-on-error --dbname="$url" \
        "/backups/$backup/$database.dump"
done
echo "Restored $backup."
