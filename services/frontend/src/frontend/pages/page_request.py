"""A visitor's request: its cookies say who they are and which language they read.

mythoughts_session   the access token: HttpOnly; SameSite=Lax; Max-Age=<until it expires>
mythoughts_device    a token that identifies this browser at the next login; for 400 days
mythoughts_language  the language that the visitor chose
mythoughts_notice    the notice for the next page (`rendering.py`)
mythoughts_csrf      the secret that the CSRF tokens of forms are checked against (Django)

Scripts cannot read them, and forms of other sites are sent without them. Behind TLS they are all
`Secure`, and their names begin with `__Host-`: browsers accept such cookies only from this host and
over TLS (RFC 6265bis).

Browsers share cookies between all programs on a host, whatever their ports. Other programs' cookies
must not be touched, not even the token of another MyThoughts: a session cookie is deleted only if
it is known to be from this one.
"""

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, wraps
from threading import BoundedSemaphore
from typing import Any, TypeAlias
from wsgiref.types import WSGIEnvironment

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse, parse_cookie
from django.http.response import HttpResponseBase
from django.utils import translation

from frontend.backends.backend_api import Caller
from frontend.backends.errors import BackendAway, Unauthorized
from frontend.backends.thoughts_backend import ThoughtsBackend
from frontend.backends.users_backend import UsersBackend
from mythoughts_chassis.clients import Client, Network, client_address
from mythoughts_chassis.observation import current_ids, log_audit
from mythoughts_chassis.tokens import EndedToken, InvalidToken, Principal, TokenVerifier

MAX_EXPORTS = 2
# As long as browsers keep a cookie (RFC 6265bis).
DEVICE_SECONDS = 400 * 86_400
_DEVICE_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)

View: TypeAlias = Callable[..., HttpResponseBase]

LANGUAGES = {"en": "English", "zh-hans": "简体中文"}
# BCP 47 tags, as used in `lang=` and Accept-Language.
LANGUAGE_TAGS = {"en": "en", "zh-hans": "zh-Hans"}


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visitor, who is logged in if there is a token.

    After a login there is also the browser's token. With `has_dead_session`, the session cookie
    must be deleted.
    """

    principal: Principal | None = None
    token: str = ""
    device_token: str = ""
    has_dead_session: bool = False

    @property
    def username(self) -> str:
        """The user's name; it is empty if nobody is logged in."""
        return self.principal.username if self.principal else ""


@dataclass(frozen=True, slots=True)
class Parts:
    """The clients and the verifier that the pages use; shared by all requests."""

    verifier: TokenVerifier
    thoughts: ThoughtsBackend
    users: UsersBackend
    registration_is_open: bool = False
    trusted_proxies: tuple[Network, ...] = ()
    # An export holds a thread while its client reads.
    exports: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(MAX_EXPORTS))


class PageRequest(WSGIRequest):
    """A request, with its visitor, their language, and the parts of the service that views need."""

    def __init__(self, environ: WSGIEnvironment, parts: Parts) -> None:
        super().__init__(environ)
        self.parts = parts
        self.visitor = self._visitor()
        self.language = self._language()

    @cached_property
    def COOKIES(self) -> dict[str, str]:  # type: ignore[override]  # noqa: N802  # Django's
        """The cookies of the request; one that comes twice counts as none."""
        return cookies_in(self.META.get("HTTP_COOKIE", ""))

    @property
    def caller(self) -> Caller:
        """The logged-in user, for calls to the backends.

        Raises `Unauthorized` for other visitors, which takes them to the login page.
        """
        if self.visitor.principal is None:
            raise Unauthorized
        return Caller(self.visitor.token, self.language, self.client)

    @property
    def stranger(self) -> Caller:
        """The caller for calls that need no login."""
        return Caller("", self.language, self.client, self._device_token())

    @property
    def client(self) -> Client:
        """The browser, as seen through trusted proxies."""
        return Client(
            address=client_address(
                self.META.get("REMOTE_ADDR"),
                self.META.get("HTTP_X_FORWARDED_FOR", ""),
                self.parts.trusted_proxies,
            ),
            user_agent=self.META.get("HTTP_USER_AGENT", ""),
            request_id=current_ids.get().request_id,
        )

    def cookie(self, name: str) -> str:
        """Return the value of a cookie such as `session`; it is empty if there is none."""
        return self.COOKIES.get(full_name(name), "")

    def log_in(self, token: str, device_token: str = "") -> None:
        """Log the user in for the rest of this request; raises `InvalidToken`."""
        self.visitor = Visitor(self.parts.verifier.verify(token), token, device_token)

    def log_out(self) -> None:
        """Log the visitor out for the rest of this request, and delete the cookie, if any."""
        had_session = self.visitor.principal is not None or self.visitor.has_dead_session
        self.visitor = Visitor(has_dead_session=had_session)

    def _visitor(self) -> Visitor:
        """Return the visitor, identified by the token without calling a backend.

        An invalid token counts as no token. A cookie that was never valid here may be another
        program's, so only a token that was valid once makes a dead session.
        """
        token = self.cookie("session")
        try:
            return Visitor(self.parts.verifier.verify(token), token) if token else Visitor()
        except EndedToken:
            return Visitor(has_dead_session=True)
        except InvalidToken:
            return Visitor()

    def _device_token(self) -> str:
        """Return the token of this browser; empty if there is none in our format."""
        token = self.cookie("device")
        return token if _DEVICE_TOKEN.fullmatch(token) else ""

    def _language(self) -> str:
        """Return the visitor's choice, otherwise the browser's.

        Chinese means Simplified Chinese, even for `zh-TW`, `zh-HK` and `zh-Hant`: there is no
        Traditional Chinese yet, and its readers find Simplified easier than English. This is
        Django's own behaviour, kept on purpose.
        """
        chosen = self.cookie("language")
        return chosen if chosen in LANGUAGES else translation.get_language_from_request(self)


def for_users(view: View) -> View:
    """Return `view` for logged-in users; others are taken to the login page."""

    @wraps(view)
    def checked(request: PageRequest, **arguments: Any) -> HttpResponseBase:
        if request.visitor.principal is None:
            raise Unauthorized
        return view(request, **arguments)

    return checked


def for_admins(view: View) -> View:
    """Return `view` for admins; other users get 403.

    Raises `BackendAway` while the Frontend cannot know whether the admin's session has ended.
    """

    @wraps(view)
    @for_users
    def checked(request: PageRequest, **arguments: Any) -> HttpResponseBase:
        if request.visitor.principal is None or not request.visitor.principal.is_admin:
            _log_refusal(request)
            raise PermissionDenied
        if not request.parts.verifier.knows_ended_sessions:
            raise BackendAway("users", "which sessions have ended is not known")
        return view(request, **arguments)

    return checked


def _log_refusal(request: PageRequest) -> None:
    log_audit(
        "refused",
        actor=request.visitor.username,
        subject=f"{request.method} {request.path}",
        address=request.client.address,
    )


def send_session(response: HttpResponse, visitor: Visitor) -> None:
    """Set the cookie with the visitor's token, for as long as the token is valid.

    After a login, also set the browser's token, which outlives the session.
    """
    if visitor.principal is not None:
        lifetime_seconds = max(visitor.principal.expires_at - int(time.time()), 0)
        set_cookie(response, "session", visitor.token, max_age_seconds=lifetime_seconds)
    if visitor.device_token:
        set_cookie(response, "device", visitor.device_token, max_age_seconds=DEVICE_SECONDS)


def cookie_name(name: str, *, behind_tls: bool) -> str:
    """Return the full name of a cookie such as `session`."""
    return f"__Host-mythoughts_{name}" if behind_tls else f"mythoughts_{name}"


def full_name(name: str) -> str:
    """Return the full name of a cookie in this installation."""
    return cookie_name(name, behind_tls=settings.CSRF_COOKIE_SECURE)


def cookies_in(header: str) -> dict[str, str]:
    """Return the cookies in a `Cookie` header; one that comes twice counts as none.

    Another host of the domain may have set one of the two, and it decides which comes first.
    """
    cookies = parse_cookie(header)
    if len(cookies) <= header.count(";"):
        names = Counter(chunk.partition("=")[0].strip() for chunk in header.split(";"))
        return {name: value for name, value in cookies.items() if names[name] == 1}
    return cookies


def set_cookie(response: HttpResponse, name: str, value: str, *, max_age_seconds: int) -> None:
    """Set a cookie in the browser."""
    response.set_cookie(
        full_name(name),
        value,
        max_age=max_age_seconds,
        httponly=True,
        samesite="Lax",
        secure=settings.CSRF_COOKIE_SECURE,
    )


def forget_cookie(response: HttpResponse, name: str) -> None:
    """Delete a cookie in the browser."""
    # Django makes it Secure if its name requires that.
    response.delete_cookie(full_name(name), samesite="Lax")
