"""Databases for the tests of the load tool."""

from collections.abc import Callable

import pytest

from testkit.roles import migrate_with_roles
from thoughts_backend.app import MIGRATIONS


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """A migrated database for one test, without thoughts."""
    url = new_database()
    migrate_with_roles(url, MIGRATIONS)
    return url
