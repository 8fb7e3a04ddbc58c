#!/bin/bash
# With the argument `start`, this starts PostgreSQL. After the image has created new data, it runs this
# script again, without an argument, to create the database, its owner of the same name, and the
# service's role. If the passwords or this script have changed, a later start creates whatever of these
# is missing, and sets the passwords in the files.
set -eo pipefail

# This file exists until the data is complete: an interrupted first start begins again from scratch.
unfinished=/var/lib/postgresql/.unfinished
# Digests of what the data was last prepared with: if they match, a start needs no temporary server.
prepared=/var/lib/postgresql/.prepared

# The last line gives the reason: an operator may see no other line.
fail() {
    echo "The database cannot start: $*" >&2
    exit 1
}

inputs() {
    sha256sum "${BASH_SOURCE[0]}" "$OWNER_PASSWORD_FILE" "$SERVICE_PASSWORD_FILE"
}

create_application() {
    # psql itself reads the passwords, so that they do not appear in any process list.
    PGHOST='' PGHOSTADDR='' psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 \
        --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
\getenv name APPLICATION_DATABASE
\set owner_password `cat "$OWNER_PASSWORD_FILE"`
\set service_password `cat "$SERVICE_PASSWORD_FILE"`
SELECT :'name' || '_service' AS service \gset
SELECT format('CREATE ROLE %I LOGIN', role) FROM unnest(ARRAY[:'name', :'service']) AS role
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
ALTER ROLE :"name" PASSWORD :'owner_password';
ALTER ROLE :"service" PASSWORD :'service_password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
    inputs >"$prepared"
    rm -f "$unfinished"
}

if [ "${1:-}" = start ]; then
    for file in "$POSTGRES_PASSWORD_FILE" "$OWNER_PASSWORD_FILE" "$SERVICE_PASSWORD_FILE"; do
        [ -s "$file" ] && [ -r "$file" ] || fail "$file, a password, is missing, empty or unreadable."
    done
    if [ -e "$unfinished" ]; then rm -rf "${PGDATA:?}"; fi
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        touch "$unfinished"
    elif [ "$(inputs)" != "$(cat "$prepared" 2>/dev/null)" ]; then
        # As in the first start of the image, this temporary server does not listen on TCP. Recovery
        # after a crash may take minutes.
        export PGCTLTIMEOUT=3600
        log=/tmp/start.log
        pg_ctl --pgdata="$PGDATA" --wait --silent --log="$log" \
            --options="-c listen_addresses=''" start || started=no
        cat "$log" >&2
        if [ "${started:-}" = no ]; then fail "$(grep -E 'FATAL|PANIC' "$log" | tail -n 1)"; fi
        rm "$log"
        create_application
        pg_ctl --pgdata="$PGDATA" --mode=fast --wait --silent stop
    fi
    exec docker-entrypoint.sh postgres
fi

create_application
