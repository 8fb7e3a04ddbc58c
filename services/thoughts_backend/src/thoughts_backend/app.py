"""Puts the Thoughts Backend together."""

from importlib.metadata import version
from pathlib import Path

from mythoughts_chassis.api import Api
from mythoughts_chassis.openapi import document
from thoughts_backend.routes import HANDLERS
from thoughts_backend.settings import Settings

NAME = "thoughts-backend"
VERSION = version(NAME)
MIGRATIONS = Path(__file__).parent / "migrations"
OPENAPI = document(
    HANDLERS,
    title="Thoughts Backend",
    version=VERSION,
    description="Shares, lists and searches thoughts.",
)


def create_api(settings: Settings) -> Api:
    """Return the API, ready to be served; raises `KeySetError` without public keys."""
    return Api(
        name=NAME,
        version=VERSION,
        openapi=OPENAPI,
        handlers=HANDLERS,
        settings=settings,
    )
