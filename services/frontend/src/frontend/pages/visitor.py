"""The visitor, identified by the session cookie, which is verified without calling a backend.

    Set-Cookie: mythoughts_session=<the access token>; HttpOnly; SameSite=Lax; Max-Age=<to exp>

Behind TLS it is `__Host-mythoughts_session`, and `Secure`.
"""

import time
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from frontend.backends.calls import ThoughtsBackend, UsersBackend
from frontend.pages.cookies import read_cookie, set_cookie
from mythoughts_chassis.tokens import ExpiredToken, InvalidToken, Principal, TokenVerifier

SESSION_COOKIE = "session"
# The key under which the application stores its parts in a request.
PARTS_KEY = "frontend.parts"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visitor, logged in if there is a token; `has_dead_session`: the cookie must be deleted."""

    principal: Principal | None = None
    token: str = ""
    has_dead_session: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """The clients and the verifier that the pages use; shared by all requests."""

    verifier: TokenVerifier
    thoughts: ThoughtsBackend
    users: UsersBackend


class PageRequest(HttpRequest):
    """A request as views receive it, after `PageMiddleware`."""

    parts: Parts
    visitor: Visitor
    language: str


def visitor_of(request: HttpRequest, verifier: TokenVerifier) -> Visitor:
    """Return the visitor of the request; an invalid token is treated as no token.

    A cookie that was never valid here may be another program's: only an expired token is a dead
    session.
    """
    token = read_cookie(request, SESSION_COOKIE)
    if token is None:
        return Visitor()
    try:
        return Visitor(verifier.verify(token), token)
    except ExpiredToken:
        return Visitor(has_dead_session=True)
    except InvalidToken:
        return Visitor()


def start_session(request: PageRequest, token: str) -> Visitor:
    """Log the user in for the rest of this request; raises `InvalidToken`."""
    request.visitor = Visitor(request.parts.verifier.verify(token), token)
    return request.visitor


def end_session(request: PageRequest) -> None:
    """Log the visitor out for the rest of this request, and delete the cookie, if any."""
    had_session = request.visitor.principal is not None or request.visitor.has_dead_session
    request.visitor = Visitor(has_dead_session=had_session)


def send_session(response: HttpResponse, visitor: Visitor) -> None:
    """Set the cookie with the visitor's token, for as long as the token is valid."""
    if visitor.principal is not None:
        lifetime_seconds = max(visitor.principal.expires_at - int(time.time()), 0)
        set_cookie(response, SESSION_COOKIE, visitor.token, max_age_seconds=lifetime_seconds)
