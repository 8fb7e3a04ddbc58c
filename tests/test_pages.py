"""Logging in and out, searching, leafing and languages on the pages, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from testkit.browsing import Browsing, expect_thoughts, log_in, search, share
from testkit.system import System, User, unique
from testkit.thoughts import share as share_by_api

pytestmark = pytest.mark.browser

THOUGHTS_A_PAGE = 20


def shared_by(system: System, user: User, count: int) -> list[str]:
    """The texts of some new thoughts of `user`, newest first; all contain their first."""
    mark = unique("Day")
    written = [f"{mark} {number}" for number in range(count)]
    for text in written:
        share_by_api(system.thoughts(user), text)
    return written[::-1]


def test_login_leads_to_ones_own_thoughts(page: Page, user: User) -> None:
    """Who comes without having logged in is asked to, and then gets where they wanted to go."""
    page.goto("/")

    log_in(page, user.username, user.password)

    expect(page.get_by_label(f"What is on your mind, {user.username}?")).to_be_visible()
    expect(page).to_have_url("/")


def test_demonstration_user_logs_in(page: Page) -> None:
    """The user bruce of the demonstration data has some thoughts to show."""
    page.goto("/login/")

    log_in(page, "bruce", "bruce")

    expect(page.get_by_role("article")).to_have_count(THOUGHTS_A_PAGE)


@pytest.mark.parametrize("username", ["bruce", "nobody at all"])
def test_wrong_password(page: Page, username: str) -> None:
    """A wrong password and an unknown name get the same words, and the name stays in the form."""
    page.goto("/login/")

    log_in(page, username, "wrong")

    expect(page.get_by_role("alert")).to_have_text("Invalid login/password, please try again.")
    expect(page.get_by_label("Name")).to_have_value(username)
    expect(page.get_by_label("Password")).to_have_value("")


def test_search_finds_everybodys_thoughts(page: Page, system: System, user: User) -> None:
    """Anybody finds a thought with words of its text, in any case, and sees whose it is."""
    text = unique("The heron CAME back")
    share_by_api(system.thoughts(user), text)
    page.goto("/search")

    search(page, text.lower())

    expect_thoughts(page, [text])
    expect(page.get_by_role("article")).to_contain_text(user.username)
    expect(page.get_by_role("searchbox")).to_have_value(text.lower())


@pytest.mark.parametrize("character", ["%", "_", "\\"])
def test_search_takes_every_character_literally(user_page: Page, character: str) -> None:
    """Characters that mean something to the database stand for themselves in a search."""
    mark = unique("100")
    share(user_page, f"{mark}{character} sure")
    share(user_page, f"{mark}x sure")

    search(user_page, f"{mark}{character}")

    expect_thoughts(user_page, [f"{mark}{character} sure"])


def test_search_takes_250_emoji(page: Page) -> None:
    """The longest search of the widest characters finds what there is: nothing."""
    page.goto("/search")

    search(page, "🙂" * 250)

    expect(page.get_by_text("No results for your search")).to_be_visible()


def test_search_without_results(page: Page) -> None:
    """When nothing is found, the page says so."""
    page.goto("/search")

    search(page, unique("nothing like this"))

    expect(page.get_by_text("No results for your search")).to_be_visible()


def test_thoughts_of_an_author(user_page: Page, user: User) -> None:
    """The name beside a thought leads to everything that its author shared."""
    share(user_page, "First")
    share(user_page, "Second")

    user_page.get_by_role("article").first.get_by_role("link", name=user.username).click()

    expect(user_page.get_by_role("heading", level=1)).to_have_text(f"Thoughts by {user.username}")
    expect_thoughts(user_page, ["Second", "First"])


def test_own_thoughts_lead_on(browsing: Browsing, system: System, user: User) -> None:
    """Older and Newer lead through all of one's own thoughts, twenty a page, and back."""
    expected = shared_by(system, user, 2 * THOUGHTS_A_PAGE + 1)
    page = browsing.new_page(user)
    page.goto("/")

    first, second, third = expected[:20], expected[20:40], expected[40:]
    expect_thoughts(page, first)
    for name, shown in [("Older", second), ("Older", third), ("Newer", second), ("Newer", first)]:
        page.get_by_role("link", name=name).click()
        expect_thoughts(page, shown)
    expect(page.get_by_role("link", name="Newer")).to_have_count(0)


def test_search_results_lead_on(page: Page, system: System, user: User) -> None:
    """Older leads through all that was found, and the words stay in the search box."""
    expected = shared_by(system, user, THOUGHTS_A_PAGE + 1)
    words = expected[0].rsplit(" ", 1)[0]
    page.goto("/search")

    search(page, words)
    expect_thoughts(page, expected[:20])
    page.get_by_role("link", name="Older").click()

    expect_thoughts(page, expected[20:])
    expect(page.get_by_role("searchbox")).to_have_value(words)
    expect(page.get_by_role("link", name="Older")).to_have_count(0)


def test_logout(user_page: Page) -> None:
    """After logging out, one's own page asks to log in."""
    user_page.get_by_role("button", name="Log out").click()

    expect(user_page.get_by_text("You are logged out.")).to_be_visible()
    user_page.goto("/")
    expect(user_page).to_have_url("/login/")


def test_link_to_logout_asks_first(user_page: Page, user: User) -> None:
    """Opening the address logs nobody out: it asks."""
    user_page.goto("/logout/")

    expect(user_page.get_by_role("heading", name="Log out?")).to_be_visible()
    user_page.get_by_role("link", name="Stay logged in").click()
    expect(user_page.get_by_label(f"What is on your mind, {user.username}?")).to_be_visible()


def test_chinese_browser_gets_chinese_pages(browsing: Browsing) -> None:
    """The language of the browser is that of the page."""
    page = browsing.new_page(locale="zh-CN")

    page.goto("/login/")

    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.get_by_role("heading", name="登录")).to_be_visible()


def test_language_can_be_switched(user_page: Page) -> None:
    """The switch changes the language of this page and of those after it, and back."""
    user_page.get_by_role("button", name="简体中文").click()
    user_page.get_by_role("link", name="大家").click()
    expect(user_page.get_by_role("heading", level=1)).to_have_text("大家的想法")
    user_page.get_by_role("button", name="English").click()

    expect(user_page).to_have_url("/search")
    expect(user_page.get_by_role("heading", level=1)).to_have_text("Everybody’s thoughts")


def test_language_switch_keeps_a_search(page: Page) -> None:
    """Switching the language on a page of results shows the same results."""
    words = unique("switch & keep")
    page.goto("/search")
    search(page, words)

    page.get_by_role("button", name="简体中文").click()

    expect(page.get_by_role("searchbox")).to_have_value(words)
