#!/bin/bash
# Restores both databases from a backup: $BACKUP, or the newest. Each is replaced completely or not at
# all: without COMMIT, nothing changes.
set -euo pipefail
. /scripts/wait-for.sh

backup=${BACKUP:-$(find /backups -maxdepth 1 -name '*Z' -printf '%f\n' | sort | tail -n 1)}
if [ ! -d "/backups/${backup:-none}" ]; then
    echo "There is no backup ${backup:-yet}." >&2
    exit 1
fi
for database in thoughts users; do
    url=$(cat "/etc/mythoughts/$database-database-owner/url")
    wait_for "$url"
    {
        # pg_restore --clean would leave objects that only a newer version has.
        echo 'BEGIN; DROP SCHEMA public CASCADE; CREATE SCHEMA public;'
        pg_restore --no-owner --no-privileges --file=- "/backups/$backup/$database.dump"
        echo 'COMMIT;'
    } | psql --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 --dbname="$url"
done
echo "Restored $backup."
