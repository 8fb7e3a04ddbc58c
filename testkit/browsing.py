"""People's browsers: real Chromium windows on one site, watched for faults of its pages."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect

from testkit.system import User

TIMEOUT_MS = 15_000
expect.set_options(timeout=TIMEOUT_MS)
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 780}

_RUN_AXE = "axe.run({resultTypes: ['violations']}).then(results => results.violations)"

# How Chromium reports, on its console, an answer with an error status.
_ERROR_STATUS = re.compile(r"Failed to load resource: the server responded with a status of \d+")


class Browsing:
    """Opens windows on the site at `base_url`, and collects the `faults` of their pages.

    Faults are what a page writes to the console, exceptions of its scripts, and requests to
    other sites. An error status of an address that a person opened is none.
    """

    def __init__(self, chromium: Browser, base_url: str) -> None:
        self._chromium = chromium
        self._base_url = base_url
        self._site = urlsplit(base_url).netloc
        self._opened: set[str] = set()
        self._faults: list[tuple[str, str]] = []

    @property
    def faults(self) -> list[str]:
        """What went wrong so far."""
        return [text for url, text in self._faults if not self._is_opened_page(url, text)]

    def new_page(
        self, user: User | None = None, *, size: dict[str, int] = DESKTOP, **options: Any
    ) -> Page:
        """A window of a new browser, logged in as `user`, or not logged in.

        `options` are those of Playwright's `Browser.new_context`.
        """
        defaults = {
            "base_url": self._base_url,
            "locale": "en-GB",
            "viewport": size,
            # Otherwise a test could see a colour in the middle of a transition.
            "reduced_motion": "reduce",
        }
        context = self._chromium.new_context(**{**defaults, **options})
        context.set_default_timeout(TIMEOUT_MS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self._faults.append(("", str(error.error))))
        context.on("request", self._see_request)
        context.on("response", self._see_response)
        if user is not None:
            context.add_cookies(
                [{"name": "mythoughts_session", "value": user.token, "url": self._base_url}]
            )
        return context.new_page()

    def close(self) -> None:
        """Close all windows."""
        for context in self._chromium.contexts:
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._faults.append((message.location["url"], message.text))

    def _see_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != self._site:
            self._faults.append(("", f"A request to {request.url}"))

    def _see_response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self._opened.add(response.url)

    def _is_opened_page(self, url: str, text: str) -> bool:
        return url in self._opened and bool(_ERROR_STATUS.match(text))


def write(page: Page, text: str) -> None:
    """Type a thought into the form."""
    page.get_by_label("What is on your mind").fill(text)


def press_share(page: Page) -> None:
    """Press the button that shares."""
    page.get_by_role("button", name="Share").click()


def share(page: Page, text: str) -> None:
    """Share a thought; the next page says that it is shared."""
    write(page, text)
    with page.expect_navigation():
        press_share(page)
    expect(page.get_by_text("Your thought has been shared.")).to_be_visible()


def search(page: Page, words: str) -> None:
    """Search with the box at the top."""
    page.get_by_role("searchbox").fill(words)
    page.get_by_role("button", name="Search").click()


def log_in(page: Page, username: str, password: str) -> None:
    """Fill in the login form and send it."""
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


def expect_thoughts(page: Page, texts: Sequence[str]) -> None:
    """Fail unless the page shows these thoughts, or soon does; white space counts as one space."""
    expect(page.locator("article .text")).to_have_text(texts)


def violations(page: Page) -> list[str]:
    """What axe-core objects to on the page: on a phone and a desktop, light and dark."""
    page.evaluate(Axe().axe_script)
    found = []
    for width, height in (PHONE.values(), DESKTOP.values()):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="light")
        found += _violations(page, f"light, {width} px")
        page.emulate_media(color_scheme="dark")
        found += _violations(page, f"dark, {width} px")
    return found


def _violations(page: Page, appearance: str) -> list[str]:
    return [
        f"{appearance}: {fault['id']}: {node['html']}"
        for fault in page.evaluate(_RUN_AXE)
        for node in fault["nodes"]
    ]
