"""Databases with the two roles that they have everywhere: their owner, and that of the service."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from local.postgres import PostgresServer, new_password
from mythoughts_chassis.migrations import migrate
from mythoughts_chassis.settings import Secret

SERVICE = "_service"


def create_with_roles(server: PostgresServer, name: str) -> str:
    """Create an empty database and both roles; return its address for the owner."""
    password = new_password()
    server.create_role(name + SERVICE, password=password)
    return server.create_database(name, owner=name, password=password)


def service_url(owner_url: str) -> str:
    """The address for the service's role, which has the owner's password."""
    owner = urlsplit(owner_url).username
    return owner_url.replace(f"//{owner}:", f"//{owner}{SERVICE}:", 1)


def migrate_with_roles(owner_url: str, directory: Path) -> None:
    """Migrate a database, with what the service's role may do."""
    asyncio.run(migrate(Secret(owner_url), directory, service_url=Secret(service_url(owner_url))))
