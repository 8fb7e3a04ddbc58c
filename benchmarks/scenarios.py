"""Which requests are measured, how many of them, and what they may cost."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from benchmarks.client import MakeRequest, request_bytes
from benchmarks.generator import COMMON_WORD, RARE_WORD
from benchmarks.visitor import Browser

# The names of the floors, as scenarios and as servers.
API_FLOOR = "floor of the APIs"
PAGE_FLOOR = "floor of the pages"

# What is shared; one of the generator's would do as well, but this is the same in every round.
THOUGHT = "The kettle sings, the window fogs over, and for a minute nothing needs an answer."


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of request. `server` answers it with `status`; `floor` is what it is held against.

    `requests` are sent in each round. `budget_us` is DESIGN.md's limit for the server's CPU.
    """

    name: str
    server: str
    floor: str
    make_request: MakeRequest
    requests: int
    status: int = 200
    budget_us: float | None = None


def floor_scenarios() -> Sequence[Scenario]:
    """Return the two floors: a constant list and a constant page."""
    get = _always(request_bytes("GET", "/"))
    return [
        Scenario(API_FLOOR, API_FLOOR, API_FLOOR, get, requests=6000),
        Scenario(PAGE_FLOOR, PAGE_FLOOR, PAGE_FLOOR, get, requests=2000),
    ]


def api_scenarios(token: str, *, username: str, password: str, thought_id: int) -> list[Scenario]:
    """Return the requests to the backends; `token` is that of a user with 20 thoughts or more."""
    bearer = {"Authorization": token}
    json_type = {"Content-Type": "application/json"}
    share = request_bytes(
        "POST", "/api/me/thoughts/", bearer | json_type, json.dumps({"text": THOUGHT}).encode()
    )
    login = json.dumps({"username": username, "password": password}).encode()

    def thoughts(
        name: str, request: bytes, *, status: int = 200, budget_us: float | None = None
    ) -> Scenario:
        return Scenario(
            name, "thoughts", API_FLOOR, _always(request), 3000, status, budget_us=budget_us
        )

    def get(path: str, headers: dict[str, str] | None = None) -> bytes:
        return request_bytes("GET", path, headers)

    return [
        thoughts("GET list of 20", get("/api/thoughts/"), budget_us=350),
        thoughts("GET one thought", get(f"/api/thoughts/{thought_id}/")),
        thoughts("GET own list of 20", get("/api/me/thoughts/", bearer)),
        thoughts("GET search, common word", get(f"/api/thoughts/?search={COMMON_WORD}")),
        thoughts("GET search, rare word", get(f"/api/thoughts/?search={RARE_WORD}")),
        thoughts("POST thought", share, status=201),
        Scenario(
            "POST login",
            "users",
            API_FLOOR,
            _always(request_bytes("POST", "/api/login/", json_type, login)),
            requests=60,
        ),
    ]


def page_scenarios(browser: Browser) -> list[Scenario]:
    """Return the pages, as a browser with a session asks for them."""
    # Each form is another, as each page that was rendered has another.
    numbers = itertools.count(1)

    def share(_: int) -> bytes:
        form = urlencode(
            {
                "csrfmiddlewaretoken": browser.form_token,
                "form_key": f"{next(numbers):032x}",
                "text": THOUGHT,
            }
        )
        content_type = {"Content-Type": "application/x-www-form-urlencoded"}
        headers = browser.headers | content_type
        return request_bytes("POST", "/thoughts/new", headers, form.encode())

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


def _always(request: bytes) -> MakeRequest:
    return lambda _: request
