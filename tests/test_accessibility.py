"""The pages are for everybody: checked by axe-core, by width, and without a mouse or scripts."""

import pytest
from playwright.sync_api import Page, expect

from testkit.browsing import (
    DESKTOP,
    PHONE,
    Browsing,
    expect_thoughts,
    log_in,
    press_share,
    violations,
    write,
)
from testkit.site import PLACES, Place, user_with_difficult_thoughts
from testkit.system import System, User, unique

pytestmark = pytest.mark.browser

MOST_TAB_STOPS = 30

# Of 255: what is darker than one or lighter than the other is so to everybody.
DARK, LIGHT = 64, 192

# The things that can be pressed or typed into, and how far each reaches to the sides, in pixels.
CONTROLS = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), textarea")]
    .filter(control => !control.matches(".skip"))
    .map(control => [control.outerHTML.slice(0, 80), control.getBoundingClientRect()])
    .map(([html, box]) => ({html, left: box.left, right: box.right, height: box.height}))"""

FOCUS = """() => {
    const style = getComputedStyle(document.activeElement);
    return {
        name: document.activeElement.tagName,
        isVisible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    };
}"""


@pytest.fixture(scope="module")
def difficult_user(system: System) -> User:
    """A user whose name and thoughts are hard to lay out."""
    return user_with_difficult_thoughts(system)


@pytest.fixture(
    params=[pytest.param(place, id=place.name, marks=pytest.mark.contents) for place in PLACES]
)
def place(request: pytest.FixtureRequest) -> Place:
    """Each page in turn."""
    assert isinstance(request.param, Place)
    return request.param


def open_place(
    browsing: Browsing, place: Place, user: User, *, size: dict[str, int] = DESKTOP
) -> Page:
    """A window on the page."""
    page = browsing.new_page(None if place.is_public else user, size=size)
    place.open(page, user)
    return page


def test_axe_finds_nothing(browsing: Browsing, place: Place, difficult_user: User) -> None:
    """axe-core has nothing against any page, light and dark, on a phone and a desktop."""
    page = open_place(browsing, place, difficult_user)

    assert violations(page) == []


def test_axe_finds_nothing_on_an_empty_page(user_page: Page) -> None:
    """axe-core has nothing against the page of somebody without thoughts."""
    expect(user_page.get_by_text("No thoughts yet")).to_be_visible()

    assert violations(user_page) == []


def test_axe_finds_nothing_in_chinese(browsing: Browsing, difficult_user: User) -> None:
    """axe-core has nothing against the Chinese pages."""
    page = browsing.new_page(difficult_user, locale="zh-CN")

    page.goto("/")

    assert violations(page) == []


def test_page_fits_a_phone(browsing: Browsing, place: Place, difficult_user: User) -> None:
    """On a screen of 360 pixels nothing scrolls sideways, and every control is in reach."""
    page = open_place(browsing, place, difficult_user, size=PHONE)

    width = page.evaluate("document.documentElement.scrollWidth")
    outside = [
        control["html"]
        for control in page.evaluate(CONTROLS)
        if control["left"] < 0 or control["right"] > PHONE["width"] or control["height"] == 0
    ]

    assert width == PHONE["width"]
    assert outside == []


def test_dark_mode(browsing: Browsing) -> None:
    """Who prefers dark gets light letters on a dark page; others the opposite."""
    page = browsing.new_page(color_scheme="dark")
    page.goto("/search")
    brightness = """name => getComputedStyle(document.body)[name].match(/[\\d.]+/g)
        .slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3"""

    dark = [page.evaluate(brightness, name) for name in ("backgroundColor", "color")]
    page.emulate_media(color_scheme="light")
    light = [page.evaluate(brightness, name) for name in ("backgroundColor", "color")]

    assert dark[0] < DARK < LIGHT < dark[1]
    assert light[1] < DARK < LIGHT < light[0]


def test_keyboard_is_enough(page: Page, user: User) -> None:
    """Somebody without a mouse logs in, shares, and gets back to the form."""
    page.goto("/login/")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(user.username)
    page.keyboard.press("Tab")
    page.keyboard.type(user.password)
    page.keyboard.press("Enter")
    expect(page.get_by_label("What is on your mind")).to_be_visible()

    tab_to(page, "TEXTAREA")
    page.keyboard.type("Typed only")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect_thoughts(page, ["Typed only"])


def tab_to(page: Page, tag: str) -> None:
    """Press Tab until an element with this tag has the focus."""
    for _ in range(MOST_TAB_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUS)["name"] == tag:
            return
    raise AssertionError(f"Tab does not lead to {tag}.")


def test_ctrl_enter_shares(user_page: Page) -> None:
    """Ctrl and Enter in the form share the text."""
    write(user_page, "Quick")

    user_page.get_by_label("What is on your mind").press("Control+Enter")

    expect_thoughts(user_page, ["Quick"])


def test_first_tab_offers_to_skip_to_the_content(page: Page) -> None:
    """The first stop of the Tab key is a link past the bar at the top, and it is seen then."""
    page.goto("/search")

    page.keyboard.press("Tab")

    skip = page.get_by_role("link", name="Skip to main content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_focus_is_always_seen(browsing: Browsing, place: Place, difficult_user: User) -> None:
    """Wherever the Tab key leads, an outline shows where one is."""
    page = open_place(browsing, place, difficult_user)
    page.evaluate("document.activeElement.blur()")
    unseen, stops = [], 0

    for _ in range(MOST_TAB_STOPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["name"] == "BODY":
            break
        stops += 1
        unseen += [] if focus["isVisible"] else [focus["name"]]

    assert stops >= 3
    assert unseen == []


def test_everything_works_without_scripts(browsing: Browsing, user: User) -> None:
    """With JavaScript switched off one logs in, shares, is refused, searches, deletes, logs out."""
    page = browsing.new_page(java_script_enabled=False)
    page.goto("/login/")
    log_in(page, user.username, user.password)
    text = unique("No scripts")

    write(page, text)
    press_share(page)
    expect_thoughts(page, [text])
    press_share(page)
    expect(page.get_by_role("alert")).to_contain_text("There is nothing to share yet.")
    page.get_by_role("searchbox").fill(text)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(text)
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No thoughts yet")).to_be_visible()
    page.get_by_role("button", name="Log out").click()

    expect(page.get_by_text("You are logged out.")).to_be_visible()
