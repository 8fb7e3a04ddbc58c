#!/bin/bash
# With the argument `start`, it starts PostgreSQL. When the image has created new data, it runs this
# script again: it then creates the service's role, which is no superuser, and the database of the
# same name, owned by the role.
set -eo pipefail

# This file exists until the data is complete: an interrupted first start begins again from scratch.
unfinished=/var/lib/postgresql/.unfinished

if [ "${1:-}" = start ]; then
    if [ -e "$unfinished" ]; then rm -rf "${PGDATA:?}"; fi
    if [ ! -s "$PGDATA/PG_VERSION" ]; then touch "$unfinished"; fi
    exec docker-entrypoint.sh postgres
fi

# psql itself reads the password, so that it does not appear in any process list.
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" \
    --dbname=postgres <<'SQL'
\getenv name APPLICATION_DATABASE
\set password `cat "$APPLICATION_PASSWORD_FILE"`
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
rm -f "$unfinished"
