"""Nothing that people type runs in another's browser, and no page asks or tells another site."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from local.stack import temporary_stack
from testkit.browsing import Browsing, expect_thoughts, log_in, press_share, share, write
from testkit.http_client import HttpClient
from testkit.system import System, User, system_of, unique
from testkit.thoughts import share as share_by_api

pytestmark = [pytest.mark.browser, pytest.mark.security]

# Each would set `window.hit` in one of the places where a page shows what people typed.
ATTACKS = [
    pytest.param(attack, id=name, marks=pytest.mark.contents)
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


@pytest.fixture(scope="module")
def attacker(system: System) -> User:
    """A user whose name is code, with a thought."""
    attacker = system.new_user(f"<svg onload=hit=1>\"' {unique('x')}")
    share_by_api(system.thoughts(attacker), "Hello")
    return attacker


@pytest.mark.parametrize(
    "path",
    [
        "/search",
        "/search?username={name}",
        "/admin/users/",
        "/admin/users/{id}/",
        "/admin/users/{id}/delete",
        "/admin/thoughts/",
    ],
)
def test_attack_in_a_username_is_only_text(
    browsing: Browsing, system: System, attacker: User, path: str
) -> None:
    """Code in a name is shown to everybody and to admins as it was given, and does nothing."""
    page = browsing.new_page(system.admin)

    page.goto(path.format(name=quote(attacker.username), id=attacker.id))

    expect(page.get_by_role("main").get_by_text(attacker.username).first).to_be_visible()
    assert_nothing_ran(page)


def test_attack_in_the_audit_log_is_only_text(
    browsing: Browsing, system: System, attacker: User
) -> None:
    """So it is in the log of who has logged in."""
    system.log_in(attacker.username, attacker.password)
    entries = system.users(system.admin).get("/admin/audit/?limit=100").json()
    login = next(entry["id"] for entry in entries if entry["actor"] == attacker.username)
    page = browsing.new_page(system.admin)

    page.goto(f"/admin/audit/?max_id={login + 1}")

    expect(page.get_by_role("main").get_by_text(attacker.username).first).to_be_visible()
    assert_nothing_ran(page)


@pytest.mark.parametrize("path", ["/", "/account/"])
def test_attack_in_the_own_name_is_only_text(browsing: Browsing, attacker: User, path: str) -> None:
    """The same holds for the pages that greet a user by name."""
    page = browsing.new_page(attacker)

    page.goto(path)

    expect(page.get_by_role("main").get_by_text(attacker.username).first).to_be_visible()
    assert_nothing_ran(page)


def test_attack_in_the_name_of_a_new_user_is_only_text(browsing: Browsing, system: System) -> None:
    """Code in the name of a new user is shown beside the password as it was typed."""
    name = f"{{{{7*7}}}}<img src=x onerror=hit=1>{unique('x')}"
    page = browsing.new_page(system.admin)
    page.goto("/admin/users/new")

    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    assert_nothing_ran(page)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_in_a_failed_login_is_only_text(
    page: Page, browsing: Browsing, system: System, attack: str
) -> None:
    """Code in the name of a failed login is in the form and the audit log as it was typed."""
    name, admin_page = unique(attack), browsing.new_page(system.admin)
    page.goto("/login/")
    log_in(page, name, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()

    admin_page.goto("/admin/audit/")

    expect(page.get_by_label("Name")).to_have_value(name)
    expect(admin_page.locator("bdi").get_by_text(name, exact=True)).to_be_visible()
    assert_nothing_ran(page)
    assert_nothing_ran(admin_page)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_in_a_search_for_users_is_only_text(
    browsing: Browsing, system: System, attack: str
) -> None:
    """Code that an admin is led to search for is in the box as it was given."""
    page = browsing.new_page(system.admin)

    page.goto(f"/admin/users/?name={quote(attack)}")

    expect(page.get_by_label("Part of the name")).to_have_value(attack)
    assert_nothing_ran(page)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_in_a_user_agent_is_only_text(
    browsing: Browsing, system: System, user: User, attack: str
) -> None:
    """Code with which a browser introduces itself is in the list of sessions as it was sent."""
    body = {"username": user.username, "password": user.password}
    login = system.users().post("/api/login/", json=body, headers={"User-Agent": attack})
    assert login.status == 200
    page = browsing.new_page(user)

    page.goto("/account/sessions/")

    expect(page.get_by_title(attack, exact=True)).to_have_text(attack)
    expect(page.get_by_role("button", name=f"End the session: {attack}")).to_be_visible()
    assert_nothing_ran(page)


@pytest.fixture
def open_browsing(chromium: Browser) -> Iterator[Browsing]:
    """Windows on a system in which everybody may register."""
    with temporary_stack({"REGISTRATION": "open"}) as stack:
        browsing = Browsing(chromium, system_of(stack).frontend_url)
        yield browsing
        browsing.close()
        assert browsing.faults == []


def test_attack_in_a_refused_registration_is_only_text(open_browsing: Browsing) -> None:
    """Code in a name that cannot be had comes back in the form as it was typed."""
    page = open_browsing.new_page()
    assert_refused_name_is_only_text(page, "/register/", "Create the account")


def test_attack_in_a_refused_new_user_is_only_text(browsing: Browsing, system: System) -> None:
    """The same holds for the form in which admins create users."""
    page = browsing.new_page(system.admin)
    assert_refused_name_is_only_text(page, "/admin/users/new", "Create")


def assert_refused_name_is_only_text(page: Page, path: str, button: str) -> None:
    """Fail unless the form at `path` shows a name that is too long as it was typed."""
    attack = '"><input autofocus onfocus="window.hit=1">' + "x" * 50
    page.goto(path)
    for password in page.locator("input[type=password]").all():
        password.fill("be water, my friend")

    page.get_by_label("Name").fill(attack)
    page.get_by_role("main").get_by_role("button", name=button).click()

    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value(attack)
    assert_nothing_ran(page)


@pytest.mark.parametrize("extension", ["json", "csv"])
def test_exported_attack_is_no_page(
    user_page: Page, system: System, user: User, extension: str
) -> None:
    """The address of an export leads to a file, which no browser takes for a page."""
    share_by_api(system.thoughts(user), "<script>window.hit = 1</script>")
    path = f"/account/export/thoughts.{extension}"

    with user_page.expect_download() as download, suppress(Error):
        user_page.goto(path)

    assert download.value.suggested_filename.endswith(f".{extension}")
    headers = system.frontend(user).get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "html" not in headers["Content-Type"]
    assert_nothing_ran(user_page)


@pytest.mark.parametrize("attack", ["<img src=x onerror=hit=1>", "Your account is blocked"])
def test_foreign_notice_is_not_shown(user_page: Page, attack: str) -> None:
    """The cookie that chooses a notice cannot bring in words of its own."""
    cookie = {"name": "mythoughts_notice", "value": attack, "url": user_page.url}
    user_page.context.add_cookies([cookie])  # type: ignore[list-item]

    user_page.goto("/")

    expect(user_page.get_by_label("What is on your mind")).to_be_visible()
    expect(user_page.get_by_role("status")).to_be_empty()
    assert_nothing_ran(user_page)


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
    """A session cookie that is no token makes one log in, and is left to its owner."""
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
