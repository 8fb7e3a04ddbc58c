"""What people do on the Frontend's pages, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import Browsing, expect_thoughts, log_in, press_share, search, share, write
from tests.system import System, User, unique
from tests.thoughts import own_texts
from tests.thoughts import share as share_by_api

pytestmark = pytest.mark.browser

THOUGHTS_A_PAGE = 20
EXACT_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


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


def test_share(user_page: Page, user: User) -> None:
    """A thought stands on top of one's own after sharing, and the form is empty again."""
    share(user_page, "An older thought")

    share(user_page, "A new thought")

    expect_thoughts(user_page, ["A new thought", "An older thought"])
    expect(user_page.get_by_role("article").first).to_contain_text(user.username)
    expect(user_page.get_by_label("What is on your mind")).to_have_value("")


def test_reloading_shares_nothing_again(user_page: Page) -> None:
    """After sharing, the page can be loaded again without sharing once more."""
    share(user_page, "Once")

    user_page.reload()

    expect_thoughts(user_page, ["Once"])
    expect(user_page.get_by_text("Your thought is shared.")).to_have_count(0)


def test_line_breaks_are_shown_as_typed(user_page: Page) -> None:
    """Line breaks, empty lines and spaces at the start of a line are kept."""
    poem = "one\n\n   two\nthree"

    share(user_page, poem)

    assert user_page.locator("article .text").inner_text() == poem


def test_time_is_shown_in_words(user_page: Page) -> None:
    """A new thought is of `just now`; the exact time is there on hover."""
    share(user_page, "Now")

    time = user_page.get_by_role("article").locator("time")
    expect(time).to_have_text("just now")
    expect(time).to_have_attribute("title", EXACT_TIME)


def test_links_can_be_followed(user_page: Page) -> None:
    """An address in a thought is a link to it, without the full stop after it."""
    share(user_page, "Read https://example.com/a?b=1&c=2.")

    link = user_page.get_by_role("article").get_by_role("link", name="https://")
    expect(link).to_have_attribute("href", "https://example.com/a?b=1&c=2")


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

    expect(user_page.get_by_role("heading", level=1)).to_have_text(f"Thoughts of {user.username}")
    expect_thoughts(user_page, ["Second", "First"])


def test_delete_asks_first(user_page: Page) -> None:
    """The link beside one's own thought asks; only the button on that page deletes."""
    share(user_page, "Stays")
    share(user_page, "Goes")

    user_page.get_by_role("link", name="Delete").first.click()
    expect_thoughts(user_page, ["Goes"])
    user_page.get_by_role("button", name="Delete").click()

    user_page.get_by_text("The thought is deleted.").wait_for()
    expect_thoughts(user_page, ["Stays"])


def test_delete_can_be_called_off(user_page: Page) -> None:
    """`Keep it` leads back, with the thought still there."""
    share(user_page, "Stays")

    user_page.get_by_role("link", name="Delete").click()
    user_page.get_by_role("link", name="Keep it").click()

    expect_thoughts(user_page, ["Stays"])


def test_anothers_thought_cannot_be_deleted(browsing: Browsing, system: System, user: User) -> None:
    """There is no link to delete another's thought, nor a page behind the address."""
    thought_id = share_by_api(system.thoughts(user), unique("Mine"))
    page = browsing.new_page(system.new_user())

    page.goto(f"/search?username={user.username}")
    links = page.get_by_role("link", name="Delete").count()
    answer = page.goto(f"/thoughts/{thought_id}/delete")

    assert links == 0
    assert answer is not None
    assert answer.status == 404


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
    user_page.get_by_role("link", name="Stay").click()
    expect(user_page.get_by_label(f"What is on your mind, {user.username}?")).to_be_visible()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * 251, "Yours is 1 character too long."),
        ("🙂" * 260, "Yours is 10 characters too long."),
        (" \n \t", "There is nothing to share yet."),
    ],
    ids=["251 characters", "260 emoji", "blank"],
)
def test_refused_text_stays_in_the_form(
    user_page: Page, system: System, user: User, text: str, reason: str
) -> None:
    """A text that is too long or blank comes back with the reason, and nothing is shared."""
    write(user_page, text)
    press_share(user_page)

    expect(user_page.get_by_role("alert")).to_contain_text(reason)
    expect(user_page.get_by_label("What is on your mind")).to_have_value(text)
    assert own_texts(system.thoughts(user)) == []


def test_250_characters_with_line_breaks(user_page: Page, system: System, user: User) -> None:
    """A line break counts as one character, though browsers send two."""
    text = "a\n" * 124 + "ab"

    share(user_page, text)

    assert len(text) == 250
    assert own_texts(system.thoughts(user)) == [text]


def test_characters_are_counted_while_typing(user_page: Page) -> None:
    """The form shows how long the text is, in characters as the limit counts them."""
    write(user_page, "🙂 two\nthree")

    expect(user_page.get_by_text("11 / 250")).to_be_visible()


def test_double_click_shares_once(user_page: Page, system: System, user: User) -> None:
    """Two clicks on Share store one thought."""
    write(user_page, "Twice is once")

    user_page.get_by_role("button", name="Share").dblclick()

    user_page.get_by_text("Your thought is shared.").wait_for()
    assert own_texts(system.thoughts(user)) == ["Twice is once"]


def test_same_text_can_be_shared_again(user_page: Page) -> None:
    """From a fresh form the same words are another thought."""
    share(user_page, "Good morning")

    share(user_page, "Good morning")

    expect_thoughts(user_page, ["Good morning", "Good morning"])


def test_two_tabs_share_apart(user_page: Page, system: System, user: User) -> None:
    """Forms open in two tabs are both good, whichever is sent first."""
    other_tab = user_page.context.new_page()
    other_tab.goto("/")
    write(user_page, "From the first")
    write(other_tab, "From the second")

    press_share(other_tab)
    expect_thoughts(other_tab, ["From the second"])
    press_share(user_page)

    expect_thoughts(user_page, ["From the first", "From the second"])
    assert own_texts(system.thoughts(user)) == ["From the first", "From the second"]


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
