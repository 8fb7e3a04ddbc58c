"""Assembles the Users Backend."""

from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from mythoughts_chassis.api import Api
from mythoughts_chassis.database import Database
from mythoughts_chassis.keys import WatchedKeySet
from mythoughts_chassis.observation import start_observation
from mythoughts_chassis.openapi import document
from users_backend import sessions
from users_backend.ended_sessions import EndedSessionsList
from users_backend.guesses import Guesses
from users_backend.parts import Parts
from users_backend.passwords import PasswordHasher
from users_backend.queries import DELETE_FORGOTTEN_GUESSES, DELETE_OLD_BROWSERS
from users_backend.routes import ENDPOINTS, refuse_registration, register
from users_backend.session_queries import DELETE_OLD_SESSIONS, Lifetimes
from users_backend.settings import Settings
from users_backend.signing import TokenSigner

if TYPE_CHECKING:
    from mythoughts_chassis.tracing import Tracing

NAME = "users-backend"
VERSION = version(NAME)
MIGRATIONS = Path(__file__).parent / "migrations"
OPENAPI = document(
    ENDPOINTS,
    title="Users Backend",
    version=VERSION,
    description="Manages users, and signs the tokens that identify them to all services.",
    tags={
        "/api/": {"name": "Account", "description": "Logging in, and your own account."},
        "/admin/": {"name": "Administration", "description": "For admins only."},
        "/.well-known/": {"name": "Tokens", "description": "What verifying tokens takes."},
    },
)


def create_api(settings: Settings) -> Api:
    """Return the API, ready to serve; raises `KeySetError` if a key file cannot be read."""
    tracing = start_observation(settings, NAME, VERSION)
    parts = make_parts(settings, tracing)
    is_open = settings.registration == "open"
    return Api(
        [e if e is not register or is_open else refuse_registration for e in ENDPOINTS],
        OPENAPI,
        settings,
        parts=parts,
        databases=[parts.database],
        housekeeping=(DELETE_OLD_SESSIONS, DELETE_FORGOTTEN_GUESSES, DELETE_OLD_BROWSERS),
        guard=sessions.admit,
        tracing=tracing,
    )


def make_parts(settings: Settings, tracing: "Tracing | None" = None) -> Parts:
    """Return what the endpoints use."""
    database = Database(
        settings.database_url,
        pool_size=settings.database_pool_size,
        application_name=NAME,
        tracing=tracing,
    )
    private_keys = WatchedKeySet(settings.token_private_keys_path)
    signer = TokenSigner(
        private_keys, issuer=settings.token_issuer, audience=settings.token_audience
    )
    return Parts(
        database=database,
        passwords=PasswordHasher(),
        guesses=Guesses(database, signer.secret),
        public_keys=WatchedKeySet(settings.token_public_keys_path),
        signer=signer,
        ended_sessions=EndedSessionsList(database, private_keys, issuer=settings.token_issuer),
        lifetimes=Lifetimes(
            session=timedelta(seconds=settings.session_lifetime_seconds),
            token=timedelta(seconds=settings.token_lifetime_seconds),
            admin_token=timedelta(seconds=settings.admin_token_lifetime_seconds),
        ),
        temporary_password_seconds=settings.temporary_password_seconds,
    )
