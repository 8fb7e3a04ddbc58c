"""Assembles the Thoughts Backend."""

from importlib.metadata import version
from pathlib import Path

from mythoughts_chassis.api import Api
from mythoughts_chassis.database import Database
from mythoughts_chassis.ended_sessions import EndedSessions
from mythoughts_chassis.observation import start_observation
from mythoughts_chassis.openapi import document
from mythoughts_chassis.tls import context_for
from thoughts_backend.parts import Parts
from thoughts_backend.queries import DELETE_OLD_ANSWERS, DELETE_OLD_COUNTS
from thoughts_backend.replica import Replica
from thoughts_backend.routes import ENDPOINTS
from thoughts_backend.search import Search
from thoughts_backend.search_limit import SearchLimit
from thoughts_backend.settings import Settings
from thoughts_backend.sharing import ShareLimits

NAME = "thoughts-backend"
VERSION = version(NAME)
MIGRATIONS = Path(__file__).parent / "migrations"
OPENAPI = document(
    ENDPOINTS,
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
    tracing = start_observation(settings, NAME, VERSION)
    database = Database(
        settings.database_url,
        pool_size=settings.database_pool_size,
        application_name=NAME,
        tracing=tracing,
    )
    databases = [database]
    if settings.database_replica_url is not None:
        replica = Replica(
            settings.database_replica_url,
            primary=database,
            pool_size=settings.database_pool_size,
            application_name=NAME,
            tracing=tracing,
        )
        databases.append(replica)
    search = Search(at_once=max(1, settings.database_pool_size // 4))
    parts = Parts(
        database=database,
        public_database=databases[-1],
        search=search,
        share_limits=ShareLimits(settings.shares_per_minute, settings.shares_per_day),
        search_limit=SearchLimit(settings.searches_per_minute),
    )
    ended = EndedSessions(
        settings.users_backend_url,
        public_keys_path=settings.token_public_keys_path,
        issuer=settings.token_issuer,
        tls=context_for(settings.users_backend_url, settings.backend_ca_path),
    )
    return Api(
        ENDPOINTS,
        OPENAPI,
        settings,
        parts=parts,
        databases=databases,
        housekeeping=(DELETE_OLD_ANSWERS, DELETE_OLD_COUNTS),
        ended=ended,
        tracing=tracing,
    )
