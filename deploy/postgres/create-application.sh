#!/bin/bash
# Starts PostgreSQL when it is called with `start`. The image then runs it once more, for data that it
# has just made: it makes the service's role, which is no superuser, and the database of the same name
# that it owns.
set -eo pipefail

# It is there until the data are complete: what was broken off before is made again from nothing.
unfinished=/var/lib/postgresql/.unfinished

if [ "${1:-}" = start ]; then
    if [ -e "$unfinished" ]; then rm -rf "${PGDATA:?}"; fi
    if [ ! -s "$PGDATA/PG_VERSION" ]; then touch "$unfinished"; fi
    exec docker-entrypoint.sh postgres
fi

# The password is read by psql itself, so that it is in no list of processes.
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" \
    --dbname=postgres <<'SQL'
\getenv name APPLICATION_DATABASE
\set password `cat "$APPLICATION_PASSWORD_FILE"`
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
rm -f "$unfinished"
