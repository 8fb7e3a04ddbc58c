#!/bin/bash
# Run once, by a PostgreSQL container that has just made its data: the service's role, which is no
# superuser, and the database of the same name that it owns.
set -eo pipefail

# The password is read by psql itself, so that it is in no list of processes.
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" \
    --dbname=postgres <<'SQL'
\getenv name APPLICATION_DATABASE
\set password `cat "$APPLICATION_PASSWORD_FILE"`
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
