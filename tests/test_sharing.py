"""Sharing and deleting thoughts on the Frontend's pages, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from testkit.browsing import Browsing, expect_thoughts, log_in, press_share, share, write
from testkit.system import System, User, unique
from testkit.thoughts import own_texts
from testkit.thoughts import share as share_by_api

pytestmark = pytest.mark.browser

EXACT_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


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
    expect(user_page.get_by_text("Your thought has been shared.")).to_have_count(0)


def test_changing_the_language_keeps_what_is_typed(user_page: Page) -> None:
    """A text that is being typed is still there when the page comes in the other language."""
    write(user_page, "Half a thought")

    user_page.get_by_role("button", name="简体中文").click()

    expect(user_page.get_by_role("button", name="发表")).to_be_visible()
    expect(user_page.locator("textarea")).to_have_value("Half a thought")


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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * 251, "Yours is 1 character too long."),
        ("🙂" * 260, "Yours is 10 characters too long."),
        (" \n \t", "There is nothing to share yet."),
        ("\u200b\u3164\u2800", "There is nothing to share yet."),
    ],
    ids=["251 characters", "260 emoji", "blank", "invisible"],
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
    """The form shows how long the text is, in characters as the limit counts them; and reads it."""
    write(user_page, "🙂 two\nthree")

    expect(user_page.get_by_text("11 / 250")).to_be_visible()
    expect(user_page.get_by_label("What is on your mind")).to_have_accessible_description(
        "11 / 250 Up to 250 characters"
    )


def test_double_click_shares_once(user_page: Page, system: System, user: User) -> None:
    """Two clicks on Share store one thought."""
    write(user_page, "Twice is once")

    user_page.get_by_role("button", name="Share").dblclick()

    user_page.get_by_text("Your thought has been shared.").wait_for()
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


def test_delete_asks_first(user_page: Page) -> None:
    """The link beside one's own thought asks; only the button on that page deletes."""
    share(user_page, "Stays")
    share(user_page, "Goes")

    user_page.get_by_role("link", name="Delete").first.click()
    expect_thoughts(user_page, ["Goes"])
    user_page.get_by_role("button", name="Delete").click()

    user_page.get_by_text("The thought has been deleted.").wait_for()
    expect_thoughts(user_page, ["Stays"])


def test_delete_can_be_cancelled(user_page: Page) -> None:
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


def test_text_typed_while_the_token_ran_out_is_kept(user_page: Page, user: User) -> None:
    """Who is logged out when sharing logs in again and finds the text in the form."""
    write(user_page, "Typed for\nan hour")
    # The cookie lives as long as the token.
    user_page.context.clear_cookies(name="mythoughts_session")

    press_share(user_page)
    log_in(user_page, user.username, user.password)

    expect(user_page.get_by_label("What is on your mind")).to_have_value("Typed for\nan hour")
    press_share(user_page)
    expect_thoughts(user_page, ["Typed for an hour"])


def test_logging_out_in_one_tab_keeps_the_text_of_another(user_page: Page, user: User) -> None:
    """A text typed in one tab survives logging out in another."""
    write(user_page, "In two minds")
    other_tab = user_page.context.new_page()
    other_tab.goto("/")
    other_tab.get_by_role("button", name="Log out").click()
    expect(other_tab.get_by_text("You are logged out.")).to_be_visible()

    press_share(user_page)
    log_in(user_page, user.username, user.password)

    expect(user_page.get_by_label("What is on your mind")).to_have_value("In two minds")
