"""Who looks at the page: what the session cookie says, verified without asking anybody.

    Set-Cookie: mythoughts_session=<the access token>; HttpOnly; SameSite=Lax; Max-Age=<to exp>

Behind TLS it is `__Host-mythoughts_session`, and `Secure`.
"""

import time
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from frontend.backends import ThoughtsBackend, UsersBackend
from frontend.cookies import read_cookie, set_cookie
from mythoughts_chassis.tokens import ExpiredToken, InvalidToken, Principal, TokenVerifier

SESSION_COOKIE = "session"
# The key under which the application leaves its parts in a request.
PARTS_KEY = "frontend.parts"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser: logged in with a token, or nobody; `has_dead_session` if it keeps one of ours."""

    principal: Principal | None = None
    token: str = ""
    has_dead_session: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages are made with; one for an application."""

    verifier: TokenVerifier
    thoughts: ThoughtsBackend
    users: UsersBackend


class PageRequest(HttpRequest):
    """A request as the views get it, after `PageMiddleware`."""

    parts: Parts
    visitor: Visitor
    language: str


def visitor_of(request: HttpRequest, verifier: TokenVerifier) -> Visitor:
    """Return who makes the request. A cookie that is no valid token makes nobody.

    What was never valid here may be another program's: only an expired token is a dead session.
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
    """Make the rest of this request the logged-in user's; raises `InvalidToken`."""
    request.visitor = Visitor(request.parts.verifier.verify(token), token)
    return request.visitor


def end_session(request: PageRequest) -> None:
    """Make the rest of this request nobody's, and have the browser forget its token, if any."""
    had_session = request.visitor.principal is not None or request.visitor.has_dead_session
    request.visitor = Visitor(has_dead_session=had_session)


def send_session(response: HttpResponse, visitor: Visitor) -> None:
    """Have the browser keep the visitor's token as long as it counts."""
    if visitor.principal is not None:
        lifetime_seconds = max(visitor.principal.expires_at - int(time.time()), 0)
        set_cookie(response, SESSION_COOKIE, visitor.token, max_age_seconds=lifetime_seconds)
