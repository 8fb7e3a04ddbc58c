"""What a service's role may do in its database: read and change rows, and nothing else.

Another role owns the database and everything in it, and only migrations run as that role.
"""

from urllib.parse import parse_qs, unquote, urlsplit

import structlog
from sqlalchemy import Connection, text

from mythoughts_chassis.commands import CommandError
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
    named = parse_qs(parts.query).get("user", [unquote(parts.username or "")])[-1]
    if not named:
        raise CommandError("DATABASE_URL: must name a role, postgresql://role:password@…")
    return named


def grant_rights(connection: Connection, role: str) -> None:
    """Let `role` use the tables of the connection's role, as a service does.

    A role that has the owner's rights anyway keeps them, with a warning in the log.
    """
    if connection.scalar(text("SELECT pg_has_role(:role, current_user, 'MEMBER')"), {"role": role}):
        _log.warning("the service has the rights of the database's owner", role=role)
        return
    database, schema, to = connection.execute(
        text(
            "SELECT quote_ident(current_database()), current_schema()::regnamespace::text, "
            "quote_ident(:role)"
        ),
        {"role": role},
    ).one()
    connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {database} TO {to}")
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {to}")
    for name, table in connection.execute(text(_OWN_TABLES)).all():
        rights = _FEWER_RIGHTS.get(name, _RIGHTS)
        connection.exec_driver_sql(f"REVOKE ALL ON {table} FROM {to}")
        connection.exec_driver_sql(f"GRANT {rights} ON {table} TO {to}")
