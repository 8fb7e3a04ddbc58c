"""Nothing that people type runs in another's browser, and no page asks or tells another site."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from testkit.browsing import Browsing, expect_thoughts, log_in, press_share, share, write
from testkit.http_client import HttpClient
from testkit.system import System, User, unique

pytestmark = pytest.mark.browser

# Each would set `window.hit` in one of the places where a page shows what people typed.
ATTACKS = [
    pytest.param(attack, id=name)
    for name, attack in (
        ("script", "<script>window.hit = 1</script>"),
        ("image", "<img src=x onerror='window.hit = 1'>"),
        ("end of field", "</textarea><svg onload=window.hit=1>"),
        ("end of attribute", '"><input autofocus onfocus="window.hit=1">'),
        ("link", "https://example.com/\"onmouseover='window.hit=1'x=\""),
        ("template", "javascript:window.hit=1 {{ 7 * 7 }} {% raw %} %(name)s"),
    )
]


def assert_nothing_ran(page: Page) -> None:
    """Fail when an attack had its way."""
    assert page.evaluate("window.hit") is None


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_in_a_thought_is_only_text(browsing: Browsing, user: User, attack: str) -> None:
    """Code in a thought is shown to its readers as it was typed, and does nothing."""
    author, reader = browsing.new_page(user), browsing.new_page()
    author.goto("/")
    share(author, attack)

    reader.goto(f"/search?username={quote(user.username)}")

    expect_thoughts(reader, [attack])
    reader.get_by_role("article").hover()
    assert_nothing_ran(reader)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_in_a_search_is_only_text(page: Page, attack: str) -> None:
    """Code in a search is shown in the heading and the box as it was typed, and does nothing."""
    page.goto(f"/search?search={quote(attack)}")

    expect(page.get_by_role("heading", level=1)).to_have_text(f"Thoughts containing “{attack}”")
    expect(page.get_by_role("searchbox")).to_have_value(attack)
    assert_nothing_ran(page)


def test_attack_in_a_refused_text_is_only_text(user_page: Page) -> None:
    """Code in a text that is too long comes back in the form as it was typed."""
    attack = "</textarea><script>window.hit = 1</script>" + "x" * 250

    write(user_page, attack)
    press_share(user_page)

    expect(user_page.get_by_role("alert")).to_be_visible()
    expect(user_page.get_by_label("What is on your mind")).to_have_value(attack)
    assert_nothing_ran(user_page)


def test_attack_in_a_username_is_only_text(browsing: Browsing, system: System) -> None:
    """Code in a name is shown as it was given, and does nothing."""
    name = f"<svg onload=hit=1>\"' {unique('x')}"
    page = browsing.new_page(system.new_user(name))
    page.goto("/")

    share(page, "Hello")

    expect(page.get_by_role("article").get_by_role("link", name=name, exact=True)).to_be_visible()
    assert_nothing_ran(page)


def test_attack_in_the_way_back_leads_home(page: Page, user: User) -> None:
    """A link to the login page cannot lead on to another site."""
    page.goto("/login/?next=https://example.com/")

    log_in(page, user.username, user.password)

    expect(page.get_by_label("What is on your mind")).to_be_visible()


def test_link_leads_to_the_host_that_is_written(user_page: Page) -> None:
    """What the browser would make of the text of a link is where the link leads."""
    addresses = [
        "https://www.google.comé.evil.example/",
        "https://münchen.de/straße",
        "https://faß.de:8443/?ä",
        "http://✪df.ws/123",
        "http://[0:0::1]:80/x",
        "https://ＧＯＯＧＬＥ.com/",
        "https://ja.wikipedia.org/wiki/東京",
    ]
    share(user_page, "\n".join([*addresses, "https://google.com@evil.example/"]))
    links = user_page.locator("article").first.locator(".text a")

    read = links.evaluate_all("all => all.map(a => new URL(a.textContent).href === a.href)")

    assert links.all_text_contents() == addresses
    assert read == [True] * len(addresses)


@pytest.mark.parametrize("cookie", ["garbage", "a.b.c", "%00", "e" * 3000], ids=len)
def test_garbage_in_the_session_cookie_is_nobody(user_page: Page, cookie: str) -> None:
    """A session cookie that is no token makes one log in, and is left to whoever made it."""
    address = user_page.url
    user_page.context.add_cookies([{"name": "mythoughts_session", "value": cookie, "url": address}])

    user_page.goto("/")

    expect(user_page).to_have_url("/login/")
    kept = {kept["name"]: kept["value"] for kept in user_page.context.cookies()}
    assert kept["mythoughts_session"] == cookie


def test_form_of_another_browser_is_refused(user_page: Page) -> None:
    """A form with another browser's CSRF field shares nothing, says so, and keeps the text."""
    user_page.locator("form.composer [name=csrfmiddlewaretoken]").evaluate(
        "field => { field.value = 'x'.repeat(64); }"
    )
    write(user_page, "Not sent")

    with user_page.expect_navigation() as navigation:
        press_share(user_page)

    assert navigation.value is not None
    assert navigation.value.status == 403
    expect(user_page.get_by_role("alert")).to_contain_text("nothing was sent")
    expect(user_page.get_by_label("What is on your mind")).to_have_value("Not sent")


def test_faults_of_pages_are_noticed(chromium: Browser, system: System) -> None:
    """The watch over all windows of these tests sees errors, exceptions and other sites."""
    browsing = Browsing(chromium, system.frontend_url)
    page = browsing.new_page()
    page.goto("/nowhere")
    page.evaluate("console.error('a complaint')")
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('an exception') })")

    page.goto(system.thoughts_url + "/api/thoughts/")

    browsing.close()
    foreign = f"A request to {system.thoughts_url}/api/thoughts/"
    assert {"a complaint", "an exception", foreign} <= set(browsing.faults)


def test_session_cookie_is_out_of_reach_of_scripts(user_page: Page, user: User) -> None:
    """No script of a page can read the token."""
    user_page.context.clear_cookies()
    user_page.goto("/login/")

    log_in(user_page, user.username, user.password)

    expect(user_page.get_by_label("What is on your mind")).to_be_visible()
    (cookie,) = [
        kept for kept in user_page.context.cookies() if kept["name"] == "mythoughts_session"
    ]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert user_page.evaluate("document.cookie") == ""


@pytest.fixture(params=["thoughts", "users"])
def api_browsing(
    request: pytest.FixtureRequest, chromium: Browser, system: System
) -> Iterator[Browsing]:
    """Windows on each of the backends."""
    url = system.thoughts_url if request.param == "thoughts" else system.users_url
    browsing = Browsing(chromium, url)
    yield browsing
    browsing.close()
    assert browsing.faults == []


def test_swagger_shows_every_operation(api_browsing: Browsing) -> None:
    """The API's page lists each operation of its document, with nothing from another site."""
    page = api_browsing.new_page()
    page.goto("/schema/swagger")
    api = HttpClient(page.url.removesuffix("/schema/swagger"))
    document = api.get("/schema/openapi.json").json()
    operations = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }

    shown = page.locator(".opblock-summary")
    expect(shown).to_have_count(len(operations))

    names = {
        f"{line.locator('.opblock-summary-method').inner_text()} "
        f"{line.locator('.opblock-summary-path').get_attribute('data-path')}"
        for line in shown.all()
    }
    assert names == operations
