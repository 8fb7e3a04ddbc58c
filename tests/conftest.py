"""The running system that the tests of this folder talk to.

By default it is what `make up` starts, on free ports and in a temporary folder. With these
variables it is one that runs elsewhere, such as in Compose or in a cluster:

    MYTHOUGHTS_FRONTEND_URL, MYTHOUGHTS_THOUGHTS_URL, MYTHOUGHTS_USERS_URL   http://host:port
    MYTHOUGHTS_ADMIN_PASSWORD_FILE   file with the password of the user `admin`

Such a system need not be empty: each test makes the users and thoughts that it is about.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import temporary_stack
from tests.system import System, User, system_of


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The system, with demonstration data; tests leave it running."""
    if "MYTHOUGHTS_FRONTEND_URL" in os.environ:
        yield System(
            frontend_url=os.environ["MYTHOUGHTS_FRONTEND_URL"].rstrip("/"),
            thoughts_url=os.environ["MYTHOUGHTS_THOUGHTS_URL"].rstrip("/"),
            users_url=os.environ["MYTHOUGHTS_USERS_URL"].rstrip("/"),
            admin_password=Path(os.environ["MYTHOUGHTS_ADMIN_PASSWORD_FILE"]).read_text().strip(),
        )
        return
    with temporary_stack() as stack:
        yield system_of(stack)


@pytest.fixture
def user(system: System) -> User:
    """A new user, logged in."""
    return system.new_user()
