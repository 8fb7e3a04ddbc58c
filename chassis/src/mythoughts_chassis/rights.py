"""What a service's role may do in its database: read and change rows, and nothing else.

Another role owns the database and everything in it, and only migrations run as that role.
"""

from urllib.parse import parse_qs, unquote, urlsplit

import structlog

from mythoughts_chassis.commands import CommandError
from mythoughts_chassis.database import Connection
from mythoughts_chassis.settings import Secret

_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
# The audit log can only be added to.
_FEWER_RIGHTS = {"audit": "SELECT, INSERT", "alembic_version": "SELECT"}

# Without views and tables of others, such as those of extensions. Identity columns need no right
# to their sequences.
_OWN_TABLES = """
    SELECT relname, relnamespace::regnamespace || '.' || quote_ident(relname)
    FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
      AND pg_has_role(relowner, 'USAGE')
"""

_log = structlog.get_logger()


def role_in(url: Secret) -> str:
    """Return the name of the role in an address; raises `CommandError` if it has none."""
    parts = urlsplit(url.reveal())
    # As the driver decides: the name before the host counts more than the parameter.
    named = unquote(parts.username or "") or parse_qs(parts.query).get("user", [""])[-1]
    if not named:
        raise CommandError("DATABASE_URL: must name a role, postgresql://role:password@…")
    return named


async def grant_rights(connection: Connection, role: str) -> None:
    """Let `role` use the tables of the connection's role, as a service does.

    A role that has the owner's rights anyway keeps them, with a warning in the log.
    """
    if await connection.fetchval("SELECT pg_has_role($1::name, current_user, 'MEMBER')", role):
        _log.warning("the service has the rights of the database's owner", role=role)
        return
    ((database, schema, to),) = await connection.fetch(
        "SELECT quote_ident(current_database()), current_schema()::regnamespace::text, "
        "quote_ident($1)",
        role,
    )
    await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {to}")
    await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {to}")
    for name, table in await connection.fetch(_OWN_TABLES):
        rights = _FEWER_RIGHTS.get(name, _RIGHTS)
        await connection.execute(f"REVOKE ALL ON {table} FROM {to}")
        await connection.execute(f"GRANT {rights} ON {table} TO {to}")
