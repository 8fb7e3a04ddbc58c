#!/bin/bash
# Dumps both databases into a new folder in /backups, named after the time, and keeps the newest $KEEP
# folders.
set -euo pipefail
. /scripts/wait-for.sh

name=$(date --utc +%Y-%m-%dT%H-%M-%SZ)
rm -rf /backups/.unfinished
mkdir /backups/.unfinished
for database in thoughts users; do
    url=$(cat "/etc/mythoughts/$database-database-owner/url")
    wait_for "$url"
    pg_dump --format=custom --file="/backups/.unfinished/$database.dump" --dbname="$url"
done
sync
mv /backups/.unfinished "/backups/$name"
echo "Backed up to $name: $(du -sh "/backups/$name" | cut -f1)."

# Folder names sort by time.
ls -d /backups/*Z | head -n -"$KEEP" | xargs --no-run-if-empty rm -rf
