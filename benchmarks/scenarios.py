"""The requests to measure, and their number."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, cycle, repeat
from urllib.parse import urlencode

from benchmarks.client import Ask, request_bytes
from benchmarks.generator import COMMON_WORD, RARE_WORD, generate_rows
from benchmarks.visitor import LOGIN, Visitor

# The names of the floors, as scenarios and as servers.
API_FLOOR = "floor of the APIs"
PAGE_FLOOR = "floor of the pages"


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """One kind of request to one server; `floor` is the scenario to compare it with.

    In each round, `requests` of the endless `asks` are sent over one connection, and as many over
    `connections`.
    """

    name: str
    server: str
    floor: str
    requests: int
    asks: Iterable[Ask]
    connections: int = 16


def all_scenarios(visitor: Visitor) -> list[Scenario]:
    """Return the floors, the requests to the backends, and the pages."""
    return [*_floors(visitor), *_api_requests(visitor), *_pages(visitor)]


def _floors(visitor: Visitor) -> Iterator[Scenario]:
    constant = request_bytes("GET", "/")
    page = request_bytes("GET", "/", visitor.browser)
    yield Scenario(API_FLOOR, API_FLOOR, API_FLOOR, 6000, _repeat(constant))
    yield Scenario(PAGE_FLOOR, PAGE_FLOOR, PAGE_FLOOR, 2000, _repeat(page))


def _api_requests(visitor: Visitor) -> Iterator[Scenario]:
    def get(name: str, path: str, headers: dict[str, str] | None = None) -> Scenario:
        asks = _repeat(request_bytes("GET", path, headers))
        return Scenario(name, "thoughts", API_FLOOR, 3000, asks)

    yield get("GET list of 20", "/api/thoughts/")
    yield get("GET one thought", "/api/thoughts/1/")
    yield get("GET own list of 20", "/api/me/thoughts/", visitor.api)
    yield get("GET search, common word", f"/api/thoughts/?search={COMMON_WORD}")
    yield get("GET search, rare word", f"/api/thoughts/?search={RARE_WORD}")
    # Shows what the check of the session costs.
    account = request_bytes("GET", "/api/me/", visitor.api)
    yield Scenario("GET own account", "users", API_FLOOR, 3000, _repeat(account))
    yield Scenario("POST thought", "thoughts", API_FLOOR, 3000, share_asks(_texts(), visitor.api))
    # Only one hash is computed at a time: with more logins, the last in the queue would time out
    # on a busy machine.
    yield Scenario("POST login", "users", API_FLOOR, 60, _repeat(LOGIN), connections=4)


def _pages(visitor: Visitor) -> Iterator[Scenario]:
    def page(name: str, path: str, headers: dict[str, str]) -> Scenario:
        asks = _repeat(request_bytes("GET", path, headers))
        return Scenario(name, "frontend", PAGE_FLOOR, 600, asks)

    yield page("login page", "/login/", visitor.logged_out_browser)
    yield page("page of 20 own thoughts", "/thoughts/", visitor.browser)
    yield page("page of 20 search results", f"/search?search={COMMON_WORD}", visitor.browser)
    yield Scenario("POST of the form", "frontend", PAGE_FLOOR, 600, _form_asks(visitor))


def share_asks(texts: Iterable[str], authorization: dict[str, str]) -> Iterator[Ask]:
    """Yield a request to the Thoughts Backend that shares each text."""
    headers = authorization | {"Content-Type": "application/json"}
    for text in texts:
        body = json.dumps({"text": text}).encode()
        yield Ask("POST", request_bytes("POST", "/api/me/thoughts/", headers, body), status=201)


def _form_asks(visitor: Visitor) -> Iterator[Ask]:
    headers = visitor.browser | {"Content-Type": "application/x-www-form-urlencoded"}
    # Each rendered form has a different key; with the same key, nothing would be stored.
    for text, key in zip(_texts(), count(1), strict=False):
        fields = {
            "csrfmiddlewaretoken": visitor.form_token,
            "form_key": f"{key:032x}",
            "text": text,
        }
        request = request_bytes("POST", "/thoughts/new", headers, urlencode(fields).encode())
        yield Ask("POST", request, status=302)


def _texts() -> Iterator[str]:
    """Yield texts like the existing ones, so that later rounds have similar lists to the first."""
    return cycle([text for _, _, text, _ in generate_rows(2000, seed=1)])


def _repeat(request: bytes) -> Iterator[Ask]:
    return repeat(Ask("GET", request))
