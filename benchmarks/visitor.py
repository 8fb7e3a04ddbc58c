"""A user of the system, who logs in through the API and has a browser with a session."""

import json
import re
from dataclasses import dataclass

from benchmarks.client import UnexpectedAnswer, fetch, request_bytes

_FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_CSRF_COOKIE = re.compile(r"mythoughts_csrf=([^;]+)")

# As sent by a browser; the answer is in English.
_BROWSER_HEADERS = {
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Language": "en",
    "User-Agent": "Mozilla/5.0 (measuring)",
}


@dataclass(frozen=True, slots=True)
class Browser:
    """The headers of a browser with and without its session, and the token of its forms."""

    headers: dict[str, str]
    headers_without_session: dict[str, str]
    form_token: str


async def log_in(users_url: str, *, username: str, password: str) -> str:
    """Log in and return the value of the Authorization header."""
    body = json.dumps({"username": username, "password": password}).encode()
    headers = {"Content-Type": "application/json"}
    answer = await fetch(users_url, request_bytes("POST", "/api/login/", headers, body))
    if answer.status != 200:
        raise UnexpectedAnswer(f"The login answered {answer.status}: {answer.body!r}")
    return str(json.loads(answer.body)["Authorized"])


async def open_browser(frontend_url: str, token: str) -> Browser:
    """Return a browser that has opened one page; `token` is the Authorization header's value."""
    session = f"mythoughts_session={token.removeprefix('Bearer ')}"
    first = request_bytes("GET", "/thoughts/", _BROWSER_HEADERS | {"Cookie": session})
    page = await fetch(frontend_url, first)
    form_token = _FORM_TOKEN.search(page.body.decode())
    cookie = _CSRF_COOKIE.search(page.headers.get("set-cookie", ""))
    if not form_token or not cookie:
        raise UnexpectedAnswer(f"No form in the page with status {page.status}.")
    csrf = f"mythoughts_csrf={cookie[1]}"
    return Browser(
        headers=_BROWSER_HEADERS | {"Cookie": f"{session}; {csrf}"},
        headers_without_session=_BROWSER_HEADERS | {"Cookie": csrf},
        form_token=form_token[1],
    )
