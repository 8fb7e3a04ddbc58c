"""Databases for the tests of the load tool."""

from collections.abc import Callable

import pytest

from mythoughts_chassis.migrations import migrate
from mythoughts_chassis.settings import Secret
from thoughts_backend.app import MIGRATIONS


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """A migrated database for one test, without thoughts."""
    url = new_database()
    migrate(Secret(url), MIGRATIONS)
    return url
