"""The running system that the tests of this folder talk to.

By default it is what `make up` starts, on free ports and in a temporary folder. With these
variables it is one that runs elsewhere, such as in Compose or in a cluster:

    MYTHOUGHTS_FRONTEND_URL, MYTHOUGHTS_THOUGHTS_URL, MYTHOUGHTS_USERS_URL   http://host:port
    MYTHOUGHTS_ADMIN_PASSWORD_FILE   file with the password of the user `admin`

and one of these, for the tests that stop parts of it (`pytest -m 'not faults'` leaves them out):

    MYTHOUGHTS_COMPOSE_PROJECT       the project of Docker Compose that it runs in
    MYTHOUGHTS_CONTEXT               the context of kubectl that leads to its cluster

Such a system need not be empty: each test makes the users and thoughts that it is about.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from local.stack import SHARING_UNLIMITED, temporary_stack
from testkit.browsing import Browsing
from testkit.compose import Compose
from testkit.installations import SERVICES, Installation, Processes
from testkit.kubernetes import Cluster
from testkit.leaks import leaks_in_logs
from testkit.system import System, User, system_of
from tooling.chromium import chromium_path

# These need a container engine, a cluster or Prometheus: they have verbs of their own in the
# Makefile.
collect_ignore = ["cluster", "containers", "rules"]

CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Features of Chromium: two pages that each window loads for the menu of its address bar, which no
# test sees. They take more processor time than the rest of the window.
UNSEEN_PAGES = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that talk to a running system: they can talk to one that runs elsewhere."""
    for item in items:
        if "running_system" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="session")
def running_system() -> System | None:
    """The system that the environment tells of, None if it tells of none."""
    if "MYTHOUGHTS_FRONTEND_URL" not in os.environ:
        return None
    return System(
        frontend_url=os.environ["MYTHOUGHTS_FRONTEND_URL"].rstrip("/"),
        thoughts_url=os.environ["MYTHOUGHTS_THOUGHTS_URL"].rstrip("/"),
        users_url=os.environ["MYTHOUGHTS_USERS_URL"].rstrip("/"),
        admin_password=Path(os.environ["MYTHOUGHTS_ADMIN_PASSWORD_FILE"]).read_text().strip(),
    )


@pytest.fixture(scope="session")
def system(running_system: System | None) -> Iterator[System]:
    """The system, with demonstration data; tests leave it running."""
    if running_system is not None:
        yield running_system
        return
    with temporary_stack() as stack:
        yield system_of(stack)
        assert leaks_in_logs(stack) == []


@pytest.fixture
def user(system: System) -> User:
    """A new user, logged in."""
    return system.new_user()


@pytest.fixture(scope="module")
def module_installation(running_system: System | None) -> Iterator[Installation]:
    """A system of this module's own, or the one that the environment tells of."""
    if running_system is None:
        with temporary_stack(SHARING_UNLIMITED) as stack:
            yield Processes(stack)
    elif "MYTHOUGHTS_COMPOSE_PROJECT" in os.environ:
        yield Compose(os.environ["MYTHOUGHTS_COMPOSE_PROJECT"], running_system)
    else:
        yield Cluster(os.environ["MYTHOUGHTS_CONTEXT"], running_system)


@pytest.fixture
def installation(module_installation: Installation) -> Iterator[Installation]:
    """A system that the test may stop parts of; what it left stopped is started after it."""
    yield module_installation
    module_installation.restore()


@pytest.fixture
def own_system(installation: Installation) -> System:
    """The system that runs in `installation`."""
    return installation.system


@pytest.fixture(scope="session")
def disabled_features() -> str:
    """The option of Chromium that disables what Playwright disables, and `UNSEEN_PAGES`.

    Chromium obeys only the last option of this name, so Playwright's must be repeated.
    """
    # Chromium reveals its command line only to programs that say what they are.
    options = [*CHROMIUM_OPTIONS, "--enable-automation"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=options)
        session = browser.new_browser_cdp_session()
        arguments = session.send("Browser.getBrowserCommandLine")["arguments"]
        browser.close()
    of_playwright = [part for part in arguments if part.startswith("--disable-features=")][-1]
    return ",".join((of_playwright, *UNSEEN_PAGES))


@pytest.fixture(scope="module")
def chromium(running_system: System | None, disabled_features: str) -> Iterator[Browser]:
    """A running Chromium, gone at the end of the module.

    Not of the session: while Playwright runs, the thread has an event loop, and the tests of
    other modules could not start theirs.
    """
    options = [*CHROMIUM_OPTIONS, disabled_features]
    if running_system is not None:
        # Without TLS, Chromium trusts only localhost, and complains about headers anywhere else.
        origins = ",".join(map(running_system.url_of, SERVICES))
        options.append(f"--unsafely-treat-insecure-origin-as-secure={origins}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=options)
        yield browser
        browser.close()


@pytest.fixture
def browsing(chromium: Browser, system: System) -> Iterator[Browsing]:
    """Opens windows on the Frontend; the test fails when a page in them had a fault."""
    yield from _watched(Browsing(chromium, system.frontend_url))


@pytest.fixture
def own_browsing(chromium: Browser, own_system: System) -> Iterator[Browsing]:
    """The same on the Frontend of `installation`."""
    yield from _watched(Browsing(chromium, own_system.frontend_url))


@pytest.fixture
def page(browsing: Browsing) -> Page:
    """A window of somebody who is not logged in."""
    return browsing.new_page()


@pytest.fixture
def user_page(browsing: Browsing, user: User) -> Page:
    """A window of `user`, on their own thoughts."""
    page = browsing.new_page(user)
    page.goto("/")
    return page


def _watched(browsing: Browsing) -> Iterator[Browsing]:
    yield browsing
    browsing.close()
    assert browsing.faults == []
