"""The APIs can be tried out on their Swagger pages, in a real browser."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from testkit.browsing import Browsing
from testkit.system import System, User, unique

pytestmark = pytest.mark.browser


@pytest.fixture
def users_page(chromium: Browser, system: System) -> Iterator[Page]:
    """The Swagger page of the Users Backend."""
    yield from _swagger_page(chromium, system.users_url)


@pytest.fixture
def thoughts_page(chromium: Browser, system: System) -> Iterator[Page]:
    """The Swagger page of the Thoughts Backend."""
    yield from _swagger_page(chromium, system.thoughts_url)


def _swagger_page(chromium: Browser, url: str) -> Iterator[Page]:
    browsing = Browsing(chromium, url)
    page = browsing.new_page()
    page.goto("/schema/swagger")
    yield page
    browsing.close()
    assert browsing.faults == []


def try_out(page: Page, operation: str) -> Locator:
    """Open an operation's form; its part of the page."""
    part = page.locator(f"[id$=-{operation}]")
    part.locator(".opblock-summary-control").click()
    part.get_by_role("button", name="Try it out").click()
    return part


def execute(part: Locator) -> tuple[str, str]:
    """Send the form; the status and the body of the answer."""
    part.get_by_role("button", name="Execute").click()
    answer = part.locator(".live-responses-table .response")
    body = answer.locator(".highlight-code code, .microlight").first
    return answer.locator(".response-col_status").inner_text().split()[0], body.inner_text()


def authorize(page: Page, value: str) -> None:
    """Paste a value into the dialog that asks for the token."""
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".dialog-ux")
    dialog.get_by_role("textbox").fill(value)
    dialog.locator(".auth.authorize").click()
    dialog.locator(".btn-done").click()


def test_example_of_the_login_logs_in(users_page: Page, system: System) -> None:
    """With the demonstration data, the login's form works as it is, and changes no password."""
    status, body = execute(try_out(users_page, "log_in"))

    assert status == "200"
    assert json.loads(body)["Authorized"].startswith("Bearer ")
    assert system.log_in("bruce", "bruce")


@pytest.mark.parametrize("form", ["Bearer {}", "{}"], ids=["answer", "bare token"])
def test_answer_of_a_login_can_be_pasted(
    thoughts_page: Page, system: System, user: User, form: str
) -> None:
    """Who pastes what the login answered, or the bare token, can share a thought."""
    text = unique("From Swagger")
    authorize(thoughts_page, form.format(user.token))
    part = try_out(thoughts_page, "share_thought")
    part.locator(".body-param__text").fill(json.dumps({"text": text}))

    status, body = execute(part)

    thought = system.thoughts().get(f"/api/thoughts/{json.loads(body)['id']}/").json()
    assert status == "201"
    assert (thought["username"], thought["text"]) == (user.username, text)


def test_dialog_says_what_to_paste(thoughts_page: Page) -> None:
    """The dialog that asks for the token says that the login's answer will do."""
    thoughts_page.get_by_role("button", name="Authorize").click()

    dialog = thoughts_page.locator(".dialog-ux")
    expect(dialog).to_contain_text("The value of Authorized in a login response")
