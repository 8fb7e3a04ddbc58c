"""Odd input of a visitor is the visitor's fault: it is refused, and counts as no outage."""

import pytest

from mythoughts_chassis import asgi, backend_connection
from services.frontend.tests.conftest import RunningFrontend
from testkit.browser import Browser
from testkit.fake_backend import FakeThoughtsBackend, Reply
from testkit.http_client import HttpClient
from testkit.odd_requests import check_odd_requests
from testkit.service_process import MakeProcess
from testkit.token_maker import TokenMaker

pytestmark = pytest.mark.security

SHARE = "/thoughts/new"


@pytest.mark.parametrize("who", ["stranger", "user"])
def test_no_odd_request_is_a_fault(
    make_process: MakeProcess, token_maker: TokenMaker, who: str
) -> None:
    """No body, content type, encoding or address gets a status of 500 or above."""
    frontend = make_process()
    frontend.start()
    page = Browser(frontend.http.base_url)
    page.get("/login/")
    cookies = {"mythoughts_csrf": page.cookies["mythoughts_csrf"]}
    token = page.get("/login/").form("/login/").fields["csrfmiddlewaretoken"]
    if who == "user":
        cookies["mythoughts_session"] = token_maker.token("bruce")

    check_odd_requests(
        frontend,
        written=["/login/", SHARE, "/logout/", "/language/"],
        read=["/search", "/login/", "/thoughts/"],
        headers={
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": token,
        },
    )


@pytest.mark.parametrize("status", [400, 413, 414, 415, 418, 422, 431])
def test_refusal_by_a_backend_is_no_outage(
    bruce: Browser, thoughts: FakeThoughtsBackend, status: int
) -> None:
    """However often a backend refuses requests, it is called for the next one."""
    thoughts.add("bruce", "Rain")
    thoughts.fault = lambda handler, _: handler.reply(Reply(status, {"detail": "no"}))
    statuses = {bruce.get("/").status for _ in range(5)}

    thoughts.fault = None

    assert statuses == {400}
    assert "Rain" in bruce.get("/").words


@pytest.mark.parametrize("character", ["a", "思", "\x01", "\\"])
def test_text_too_large_for_the_backend_is_kept_with_the_reason(
    bruce: Browser, thoughts: FakeThoughtsBackend, character: str
) -> None:
    """A text that no backend would read is not sent, and is in the form with the reason."""
    page = bruce.send(bruce.get("/").form(SHARE), text=character * 100_000)

    assert page.status == 200
    assert "Yours is 99750 characters too long." in page.words
    assert page.form(SHARE).fields["text"] == character * 100_000
    assert [call.method for call in thoughts.calls] == ["GET", "GET"]


def test_search_that_becomes_too_long_is_refused(
    frontend: RunningFrontend, thoughts: FakeThoughtsBackend
) -> None:
    """Search words that fit into a request here, but not into one to the backend, get 400.

    The Frontend escapes what a browser need not.
    """
    http = HttpClient(frontend.url)
    statuses = {http.get("/search?search=" + "," * 13_000).status for _ in range(5)}

    assert statuses == {400}
    assert thoughts.calls == []
    assert http.get("/search?search=rain").status == 200


def test_limit_of_bodies_is_that_of_the_backends() -> None:
    """The Frontend sends what the backends accept."""
    assert backend_connection.MAX_BODY_BYTES == asgi.MAX_BODY_BYTES
