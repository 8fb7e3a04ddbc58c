"""Assembles the Thoughts Backend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from litestar import Litestar

from mythoughts_chassis.api import Api, Lifespan
from mythoughts_chassis.openapi import document
from thoughts_backend.replica import Replica
from thoughts_backend.routes import HANDLERS
from thoughts_backend.search import Search
from thoughts_backend.settings import Settings

NAME = "thoughts-backend"
VERSION = version(NAME)
MIGRATIONS = Path(__file__).parent / "migrations"
OPENAPI = document(
    HANDLERS,
    title="Thoughts Backend",
    version=VERSION,
    description="Shares, lists and searches thoughts.",
    tags={
        "/api/": {"name": "Thoughts", "description": "Everybody's thoughts, and your own."},
        "/admin/": {"name": "Administration", "description": "For admins only."},
    },
)


def create_api(settings: Settings) -> Api:
    """Return the API, ready to serve; raises `KeySetError` if the public keys cannot be read."""
    return Api(
        name=NAME,
        version=VERSION,
        openapi=OPENAPI,
        handlers=HANDLERS,
        settings=settings,
        state={"search": Search(at_once=max(1, settings.database_pool_size // 4))},
        lifespan=[_public_database(settings)],
    )


def _public_database(settings: Settings) -> Lifespan:
    """Set `public_database`, the database from which handlers read everybody's thoughts."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        app.state.public_database = app.state.database
        if settings.database_replica_url is None:
            yield
            return
        replica = Replica(
            settings.database_replica_url,
            primary=app.state.database,
            pool_size=settings.database_pool_size,
            application_name=NAME,
        )
        await replica.open()
        app.state.public_database = replica
        try:
            yield
        finally:
            await replica.close()

    return lifespan
