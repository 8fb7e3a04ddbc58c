"""A user of the system, who is logged in through the API and in a browser."""

import json
import re
from dataclasses import dataclass

from benchmarks.client import UnexpectedAnswer, fetch, request_bytes

# A demonstration user with more than a page of thoughts; the password is the same as the name.
USER = "bruce"
LOGIN = request_bytes(
    "POST",
    "/api/login/",
    {"Content-Type": "application/json"},
    json.dumps({"username": USER, "password": USER}).encode(),
)

_FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_CSRF_COOKIE = re.compile(r"mythoughts_csrf=([^;]+)")

# As sent by a browser; the answer is in English.
_BROWSER_HEADERS = {
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Language": "en",
    "User-Agent": "Mozilla/5.0 (measuring)",
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """The headers of an API client, and of a browser with and without its session.

    `form_token` is the token of the browser's forms.
    """

    api: dict[str, str]
    browser: dict[str, str]
    logged_out_browser: dict[str, str]
    form_token: str


async def log_in(users_url: str, frontend_url: str) -> Visitor:
    """Log in, and open one page in a browser; raises `UnexpectedAnswer`."""
    token = json.loads((await fetch(users_url, LOGIN)).body)["Authorized"]
    session = f"mythoughts_session={token.removeprefix('Bearer ')}"
    first = request_bytes("GET", "/thoughts/", _BROWSER_HEADERS | {"Cookie": session})
    page = await fetch(frontend_url, first)
    form_token = _FORM_TOKEN.search(page.body.decode())
    cookie = _CSRF_COOKIE.search(page.headers.get("set-cookie", ""))
    if not form_token or not cookie:
        raise UnexpectedAnswer("The page has no form.")
    csrf = f"mythoughts_csrf={cookie[1]}"
    return Visitor(
        api={"Authorization": token},
        browser=_BROWSER_HEADERS | {"Cookie": f"{session}; {csrf}"},
        logged_out_browser=_BROWSER_HEADERS | {"Cookie": csrf},
        form_token=form_token[1],
    )
