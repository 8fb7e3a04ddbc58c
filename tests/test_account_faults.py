"""The deletion of an account when a backend stops in the middle of it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from local.stack import Stack, temporary_stack
from testkit.browser import Browser, Page
from testkit.sql import SqlConnection
from testkit.system import System, User, system_of
from testkit.thoughts import share
from testkit.waiting import wait_until

pytestmark = pytest.mark.faults

PATH = "/account/delete/"
DONE = "Your account and all your thoughts have been deleted."


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A system of this module's own, whose database the tests can lock."""
    with temporary_stack() as running:
        yield running


@pytest.fixture
def own_system(stack: Stack) -> System:
    """The system that runs in `stack`."""
    return system_of(stack)


@pytest.fixture
def author(own_system: System) -> User:
    """A user with a thought."""
    user = own_system.new_user()
    share(own_system.thoughts(user), "Rain")
    return user


@pytest.fixture
def browser(own_system: System, author: User) -> Browser:
    """The browser of `author`."""
    browser = Browser(own_system.frontend_url)
    browser.cookies["mythoughts_session"] = author.token
    return browser


@pytest.fixture
def users_sql(stack: Stack) -> Iterator[SqlConnection]:
    """A connection to the database of the Users Backend."""
    with (
        asyncio.Runner() as runner,
        SqlConnection(runner, stack.database_urls["users"]) as connection,
    ):
        yield connection


def delete(browser: Browser, author: User) -> Page:
    """Fill in the form that deletes the account, and send it."""
    return browser.send(browser.get(PATH).form(PATH), password=author.password)


def thoughts_of(system: System, user: User) -> list[object]:
    """What everybody sees of the user's thoughts."""
    query = urlencode({"username": user.username})
    return list(system.thoughts().get(f"/api/thoughts/?{query}").json())


def exists(system: System, user: User) -> bool:
    """Whether the user can still log in."""
    body = {"username": user.username, "password": user.password}
    return system.users().post("/api/login/", json=body).status == 200


def test_without_the_thoughts_backend_the_account_stays(
    stack: Stack, own_system: System, author: User, browser: Browser
) -> None:
    """While thoughts cannot be deleted, the user is not; afterwards all is deleted."""
    stack.services["thoughts"].stop()

    page = delete(browser, author)
    still_exists = exists(own_system, author)
    stack.restart("thoughts")
    wait_until(lambda: DONE in delete(browser, author).words)

    assert "Not everything could be deleted." in page.words
    assert still_exists
    assert thoughts_of(own_system, author) == []
    assert not exists(own_system, author)


def test_users_backend_that_dies_between_both_calls(
    stack: Stack, own_system: System, author: User, browser: Browser, users_sql: SqlConnection
) -> None:
    """The thoughts are gone, the user is not yet, and a repetition completes the deletion."""
    users_sql.run("BEGIN")
    users_sql.run("SELECT FROM users WHERE id = $1 FOR UPDATE", author.id)

    with ThreadPoolExecutor(1) as thread:
        deletion = thread.submit(delete, browser, author)
        wait_until(lambda: thoughts_of(own_system, author) == [])
        stack.services["users"].kill()
        page = deletion.result()
    users_sql.run("ROLLBACK")
    stack.restart("users")
    still_exists = exists(own_system, author)
    wait_until(lambda: DONE in delete(browser, author).words)

    assert "Your thoughts have been deleted, but perhaps not your account." in page.words
    assert still_exists
    assert not exists(own_system, author)
