"""Creating an account for oneself, where registration is open, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from local.stack import temporary_stack
from testkit.browsing import PHONE, Browsing, violations
from testkit.system import System, system_of, unique

pytestmark = pytest.mark.browser

PASSWORD = "be water, my friend"


@pytest.fixture(scope="module")
def open_system() -> Iterator[System]:
    """A system of this module's own, in which everybody can create an account."""
    with temporary_stack({"REGISTRATION": "open"}) as stack:
        yield system_of(stack)


@pytest.fixture
def page(chromium: Browser, open_system: System) -> Iterator[Page]:
    """A window on its login page, of somebody who has no account, without scripts."""
    browsing = Browsing(chromium, open_system.frontend_url)
    page = browsing.new_page(size=PHONE, java_script_enabled=False)
    page.goto("/login/")
    yield page
    browsing.close()
    assert browsing.faults == []


def register(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form and send it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password again").fill(password)
    page.get_by_role("button", name="Create the account").click()


def test_stranger_registers(page: Page, open_system: System) -> None:
    """The login page leads to the form, and the form to one's own page; the account is real."""
    name = unique("Lena")

    page.get_by_role("link", name="Create an account").click()
    register(page, name)

    expect(page.get_by_text("Welcome! Your account is ready.")).to_be_visible()
    expect(page.get_by_label("What is on your mind")).to_be_visible()
    assert open_system.log_in(name, PASSWORD)


@pytest.mark.parametrize(
    ("name", "password", "words"),
    [
        ("bruce", PASSWORD, "This name is taken. Please choose another."),
        ("Lena\u200b", PASSWORD, "Character 5 (U+200B) cannot be used."),
        ("Lena", "short", "At least 8 characters."),
        ("Lena", "password1", "This is little more than a common password"),
        ("Magdalena", "magdalena1", "This is little more than your name"),
    ],
)
def test_refused_registration_says_why(page: Page, name: str, password: str, words: str) -> None:
    """What the Users Backend refuses is said in the page's words, at the field."""
    page.goto("/register/")

    register(page, name, password)

    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.get_by_label("Name")).to_have_value(name)


def test_axe_finds_nothing(chromium: Browser, open_system: System) -> None:
    """axe-core has nothing against the form."""
    browsing = Browsing(chromium, open_system.frontend_url)
    page = browsing.new_page()
    page.goto("/register/")

    assert violations(page) == []
    browsing.close()
