"""Rendering pages: the templates in each language, one-time notices, and redirects."""

import secrets
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH, rotate_token
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_lazy
from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from frontend.pages.cards import cards
from frontend.pages.page_request import (
    LANGUAGE_TAGS,
    LANGUAGES,
    PageRequest,
    forget_cookie,
    set_cookie,
)
from frontend.pages.words import browser_in_words, event_in_words, moment
from frontend.serving.static_files import static_address
from mythoughts_chassis.observation import current_ids

TEMPLATES = Path(__file__).parents[1] / "templates"
HOME = "/"
RETRY_AFTER_SECONDS = 5
NOTICES = {
    "shared": gettext_lazy("Your thought has been shared."),
    "deleted": gettext_lazy("The thought has been deleted."),
    "logged-out": gettext_lazy("You are logged out."),
    "logged-out-here": gettext_lazy(
        "You are logged out in this browser, but the server could not end the session. If others "
        "use this device, log in again later and end the session under Account, Sessions."
    ),
    "password-changed": gettext_lazy(
        "Your password has been changed. You are now logged out everywhere else."
    ),
    "session-ended": gettext_lazy("The session has ended."),
    "sessions-ended": gettext_lazy("All other sessions have ended."),
    "account-deleted": gettext_lazy("Your account and all your thoughts have been deleted."),
    "user-enable": gettext_lazy("The account is enabled."),
    "user-disable": gettext_lazy("The account is disabled and all its sessions have ended."),
    "user-make-admin": gettext_lazy("The user is an admin now and has to log in again."),
    "user-unmake-admin": gettext_lazy("The user is no longer an admin."),
    "user-end-sessions": gettext_lazy("All sessions of the user have ended."),
    "user-deleted": gettext_lazy("The user has been deleted."),
    "registered": gettext_lazy("Welcome! Your account is ready."),
    "registered-log-in": gettext_lazy("Your account is ready. Please log in."),
}


class TranslatedEnvironment(Environment):
    """The templates in one language.

    Their texts are translated when a template is compiled, not for each page.
    """

    def __init__(self, language: str) -> None:
        super().__init__(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            auto_reload=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._language = language
        self.globals |= {
            "static": static_address,
            "languages": LANGUAGES,
            "language_tags": LANGUAGE_TAGS,
        }
        self.filters |= {
            "cards": cards,
            "query": query,
            "event": event_in_words,
            "browser": browser_in_words,
            "moment": self._moment,
        }

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template, which all templates share; called by Jinja2.

        Jinja2 makes a `ChainMap` for each template; reading it took 5 % of the login page's time.
        """
        del d
        return self.globals

    def _moment(self, time: datetime) -> Markup:
        return moment(time, datetime.now(UTC), self._language)

    def compile(
        self,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        raw: Any = False,
        defer_init: bool = False,
    ) -> Any:
        """Compile a template after translating its texts."""
        with translation.override(self._language):
            translated = _TranslateTexts().visit(self.parse(source, name, filename))
        return super().compile(translated, name, filename, raw, defer_init)


class _TranslateTexts(NodeTransformer):
    """Replaces `_("Log in")` and `_("Thoughts by %(name)s", name=username)` with their texts."""

    def visit_Call(self, call: nodes.Call) -> nodes.Node:  # noqa: N802  # named by Jinja2
        self.generic_visit(call)
        match call:
            case nodes.Call(node=nodes.Name(name="_"), args=[nodes.Const(value=text)]):
                values = [nodes.Pair(nodes.Const(value.key), value.value) for value in call.kwargs]
                translated = nodes.Const(gettext(text))
                return nodes.Mod(translated, nodes.Dict(values)) if values else translated
        return call


# One environment for each language.
environment_in = cache(TranslatedEnvironment)


def query(parameters: Mapping[str, str]) -> str:
    """Return the parameters that are not empty as a query string."""
    return urlencode({name: value for name, value in parameters.items() if value})


def show(
    request: PageRequest,
    template: str,
    *,
    status: int = 200,
    retry_after_seconds: int = RETRY_AFTER_SECONDS,
    **context: Any,
) -> HttpResponse:
    """Return `template` rendered with `context` and with the values that every page uses.

    With status 429 or 503, the header `Retry-After` says when to try again.
    """
    notice = NOTICES.get(request.cookie("notice"))
    every_page = {
        "visitor": request.visitor,
        "language": request.language,
        "here": request.get_full_path(),
        "form_token": form_token(request),
        "notice": notice,
        "status": status,
        "request_id": current_ids.get().request_id,
        "search": "",
        "username": "",
        "problem": "",
        "fault": "",
        "page": None,
    }
    html = environment_in(request.language).get_template(template).render(every_page | context)
    # HTML cannot contain the character NUL; browsers show U+FFFD instead.
    response = HttpResponse(html.replace("\0", "\ufffd"), status=status)
    if notice:
        forget_cookie(response, "notice")
    if status in (429, 503):
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response


def form_token(request: PageRequest) -> str:
    """Return the CSRF token for this page's forms, in the format of Django's `get_token`.

    It consists of a random mask and the cookie's secret, shifted by that mask. Each page gets a
    different token, so the size of the compressed page does not reveal the secret (BREACH). Django
    draws the 32 characters of the mask one by one, which took 5 % of a page's time and let another
    thread take over at each draw.
    """
    if "CSRF_COOKIE" not in request.META:
        rotate_token(request)
    characters, secret = CSRF_ALLOWED_CHARS, request.META["CSRF_COOKIE"]
    # Some characters are slightly more frequent, which is harmless: the token contains its mask.
    shifts = [byte % len(characters) for byte in secrets.token_bytes(CSRF_SECRET_LENGTH)]
    mask = [characters[shift] for shift in shifts]
    masked = [
        characters[(characters.index(character) + shift) % len(characters)]
        for character, shift in zip(secret, shifts, strict=True)
    ]
    return "".join(mask + masked)


def redirect_with_notice(path: str, notice: str) -> HttpResponse:
    """Redirect to `path`, whose page will show this notice."""
    response = HttpResponseRedirect(path)
    set_notice(response, notice)
    return response


def set_notice(response: HttpResponse, notice: str) -> None:
    """Make the next page show this notice, a key of `NOTICES`."""
    set_cookie(response, "notice", notice, max_age_seconds=60)


def safe_path(path: str) -> str:
    """Return `path` if it stays on this site, else the home page."""
    is_local = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_local else HOME
