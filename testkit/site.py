"""Every page of the Frontend and how to reach it, for tests of what must hold on all pages."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from testkit.browsing import log_in, press_share, write
from testkit.system import System, User, unique
from testkit.thoughts import share

# Words without a space, as wide and long as can be, and a long address: they break bad layouts.
WIDE_TEXT = "W" * 250
LONG_LINK = "See\nhttps://example.com/" + "x" * 200
LONG_NAME_CHARACTERS = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A page, and how a window (of a user, unless `is_public`) is led to it."""

    name: str
    open: Callable[[Page, User], None]
    is_public: bool = False


def _at(path: str) -> Callable[[Page, User], None]:
    def open_path(page: Page, _: User) -> None:
        page.goto(path)

    return open_path


def _failed_login(page: Page, user: User) -> None:
    page.goto("/login/")
    log_in(page, user.username, "wrong")
    page.get_by_role("alert").wait_for()


def _refused_text(page: Page, _: User) -> None:
    page.goto("/")
    write(page, "x" * 251)
    press_share(page)
    page.get_by_role("alert").wait_for()


def _kept_text(page: Page, _: User) -> None:
    page.goto("/")
    write(page, WIDE_TEXT)
    page.context.clear_cookies(name="mythoughts_session")
    press_share(page)
    page.get_by_text("Your text, kept").wait_for()


def _confirm_delete(page: Page, _: User) -> None:
    page.goto("/")
    page.get_by_role("link", name="Delete").last.click()
    page.get_by_role("heading", name="Delete this thought?").wait_for()


def _after_sharing(page: Page, _: User) -> None:
    page.goto("/")
    write(page, "Shared")
    press_share(page)
    page.get_by_text("Your thought has been shared.").wait_for()


def _old_form(page: Page, _: User) -> None:
    page.goto("/")
    page.context.clear_cookies(name="mythoughts_csrf")
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="Please try again").wait_for()


def _refused_password(page: Page, _: User) -> None:
    page.goto("/account/password/")
    for label in ("Current password", "New password", "New password again"):
        page.get_by_label(label, exact=True).fill(label)
    page.get_by_role("main").get_by_role("button", name="Change the password").click()
    page.get_by_role("alert").wait_for()


PLACES = (
    Place("login", _at("/login/"), is_public=True),
    Place("failed login", _failed_login, is_public=True),
    Place("login with a kept text", _kept_text),
    Place("own thoughts", _at("/")),
    Place("after sharing", _after_sharing),
    Place("refused text", _refused_text),
    Place("past the end", _at("/?max_id=1")),
    Place("everybody", _at("/search"), is_public=True),
    Place("search with results", _at("/search?search=" + "W" * 100), is_public=True),
    Place("search without results", _at("/search?search=4cc9e0d1b2"), is_public=True),
    Place("confirm delete", _confirm_delete),
    Place("account", _at("/account/")),
    Place("password", _at("/account/password/")),
    Place("refused password", _refused_password),
    Place("first password", _at("/login/password/"), is_public=True),
    Place("sessions", _at("/account/sessions/")),
    Place("export", _at("/account/export/")),
    Place("confirm deletion of the account", _at("/account/delete/")),
    Place("confirm logout", _at("/logout/")),
    Place("not found", _at("/nowhere"), is_public=True),
    Place("old form", _old_form),
)


def user_with_difficult_thoughts(system: System) -> User:
    """A new user with the longest name and thoughts that are hard to lay out."""
    name = unique("Wolfgang-Amadeus")
    user = system.new_user(name + "W" * (LONG_NAME_CHARACTERS - len(name)))
    for text in (WIDE_TEXT, LONG_LINK, "1.\n2.\n\n   3.", "短短的想法", "فكرة قصيرة"):
        share(system.thoughts(user), text)
    return user
