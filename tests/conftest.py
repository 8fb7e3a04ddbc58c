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

from local.stack import Stack, temporary_stack
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


@pytest.fixture(scope="module")
def module_stack() -> Iterator[Stack]:
    """A system of this module's own."""
    with temporary_stack() as stack:
        yield stack


@pytest.fixture
def stack(module_stack: Stack) -> Iterator[Stack]:
    """A system that the test may stop parts of; what it left stopped is started after it."""
    yield module_stack
    if not module_stack.postgres.process.is_running:
        module_stack.postgres.start()
    stopped = [name for name, service in module_stack.services.items() if not service.is_running]
    module_stack.restart(*stopped)


@pytest.fixture
def own_system(stack: Stack) -> System:
    """The system that `stack` runs."""
    return system_of(stack)
