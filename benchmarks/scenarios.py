"""The requests to measure, their number, and their budgets."""

import itertools
import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from benchmarks.client import MakeRequest, request_bytes
from benchmarks.generator import COMMON_WORD, RARE_WORD, generate_rows
from benchmarks.visitor import Browser

# The names of the floors, as scenarios and as servers.
API_FLOOR = "floor of the APIs"
PAGE_FLOOR = "floor of the pages"

# New thoughts are like the existing ones, so that later rounds have similar lists to the first.
TEXTS = [text for _, _, text, _ in generate_rows(2000, seed=1)]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of request. `server` answers it with `status`; `floor` is the one to compare with.

    `requests` are sent in each round, over one connection and then over `connections`.
    `budget_us` is the limit for the server's CPU.
    """

    name: str
    server: str
    floor: str
    make_request: MakeRequest
    requests: int
    status: int = 200
    budget_us: float | None = None
    connections: int = 16


def floor_scenarios(browser: Browser) -> list[Scenario]:
    """Return the two floors: a constant list and, for a browser, a constant page."""
    ask = _always(request_bytes("GET", "/"))
    browse = _always(request_bytes("GET", "/", browser.headers))
    return [
        Scenario(API_FLOOR, API_FLOOR, API_FLOOR, ask, requests=6000),
        Scenario(PAGE_FLOOR, PAGE_FLOOR, PAGE_FLOOR, browse, requests=2000),
    ]


def api_scenarios(token: str, *, username: str, password: str, thought_id: int) -> list[Scenario]:
    """Return the requests to the backends; `token` is that of a user with 20 thoughts or more."""
    bearer = {"Authorization": token}
    json_type = {"Content-Type": "application/json"}
    login = json.dumps({"username": username, "password": password}).encode()

    def get(
        name: str,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        budget_us: float | None = None,
    ) -> Scenario:
        request = _always(request_bytes("GET", path, headers))
        return Scenario(name, "thoughts", API_FLOOR, request, 3000, budget_us=budget_us)

    def share(number: int) -> bytes:
        body = json.dumps({"text": _text(number)}).encode()
        return request_bytes("POST", "/api/me/thoughts/", bearer | json_type, body)

    return [
        get("GET list of 20", "/api/thoughts/", budget_us=350),
        get("GET one thought", f"/api/thoughts/{thought_id}/"),
        get("GET own list of 20", "/api/me/thoughts/", bearer),
        get("GET search, common word", f"/api/thoughts/?search={COMMON_WORD}"),
        get("GET search, rare word", f"/api/thoughts/?search={RARE_WORD}"),
        Scenario("POST thought", "thoughts", API_FLOOR, share, 3000, status=201),
        Scenario(
            "POST login",
            "users",
            API_FLOOR,
            _always(request_bytes("POST", "/api/login/", json_type, login)),
            requests=60,
            # Only one hash is computed at a time: with more logins, the last in the queue would
            # time out on a busy machine.
            connections=4,
        ),
    ]


def page_scenarios(browser: Browser) -> list[Scenario]:
    """Return the pages, as a browser with a session requests them."""
    # Each rendered form has a different key; with the same key, nothing would be stored.
    form_keys = itertools.count(1)

    def share(number: int) -> bytes:
        fields = {
            "csrfmiddlewaretoken": browser.form_token,
            "form_key": f"{next(form_keys):032x}",
            "text": _text(number),
        }
        content_type = {"Content-Type": "application/x-www-form-urlencoded"}
        headers = browser.headers | content_type
        return request_bytes("POST", "/thoughts/new", headers, urlencode(fields).encode())

    def page(
        name: str, path: str, headers: dict[str, str], budget_us: float | None = None
    ) -> Scenario:
        request = _always(request_bytes("GET", path, headers))
        return Scenario(name, "frontend", PAGE_FLOOR, request, 600, budget_us=budget_us)

    search = f"/search?search={quote(COMMON_WORD)}"
    return [
        page("login page", "/login/", browser.headers_without_session),
        page("page of 20 own thoughts", "/thoughts/", browser.headers, 1500),
        page("page of 20 search results", search, browser.headers, 1500),
        Scenario("POST of the form", "frontend", PAGE_FLOOR, share, 600, status=302),
    ]


def _text(number: int) -> str:
    return TEXTS[number % len(TEXTS)]


def _always(request: bytes) -> MakeRequest:
    return lambda _: request
