"""Logging in, staying logged in, logging out, and switching the language."""

import time
from typing import Any
from urllib.parse import urlencode

import structlog
from django.http import HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.utils import translation
from django.utils.translation import gettext, gettext_lazy

from frontend.backends.errors import BackendError, Forbidden
from frontend.backends.users_backend import LoggedIn
from frontend.pages.forms import Form, Refusal, answer_form, new_password_in
from frontend.pages.page_request import LANGUAGES, PageRequest, send_session, set_cookie
from frontend.pages.rendering import HOME, query, redirect_with_notice, safe_path, show
from frontend.pages.thoughts import own_page, posted_draft
from mythoughts_chassis.settings import Secret
from mythoughts_chassis.tokens import InvalidToken

YEAR_SECONDS = 365 * 24 * 3600

# The fraction of a token's lifetime after which the next request renews it.
RENEW_AFTER = 0.1

_CANNOT_LOG_IN = gettext_lazy(
    "You cannot log in at the moment. Please try again in a minute. "
    "Reading and searching may still work."
)

_log = structlog.get_logger()


def log_in(request: PageRequest) -> HttpResponse:
    """Log in, and redirect to the page that the visitor wanted."""
    if request.method == "POST":
        is_open = request.parts.registration_is_open
        return answer_form(
            request,
            "login.html",
            _log_in,
            away=_CANNOT_LOG_IN,
            registration_is_open=is_open,
            **_kept(request),
        )
    next_path = safe_path(request.GET.get("next", ""))
    if request.visitor.principal is not None:
        return HttpResponseRedirect(next_path)
    return login_page(request, next_path=next_path)


def log_out(request: PageRequest) -> HttpResponse:
    """Log out; GET asks for confirmation, so that a link cannot do it."""
    if request.method != "POST":
        return show(request, "logout.html")
    notice = "logged-out" if _has_ended(request) else "logged-out-here"
    request.log_out()
    return redirect_with_notice("/login/", notice)


def _has_ended(request: PageRequest) -> bool:
    """End the visitor's session, if any; return False if that was not possible.

    Either way, the browser forgets the token. Only an attacker who has copied it could still use or
    renew it, until the user ends the session on the sessions page.
    """
    if request.visitor.principal is None:
        return True
    try:
        request.parts.users.log_out(request.caller)
    except BackendError as error:
        _log.warning("session not ended", reason=str(error))
        return False
    return True


def stay_logged_in(request: PageRequest) -> bool:
    """Renew the token when a tenth of its lifetime has passed; return whether it was renewed.

    Renewing this early keeps users logged in who then type for a long time, admins for up to 54
    minutes.

    If renewal fails, nothing changes. Two pages that renew at the same time get two tokens of the
    same session, both of them valid.
    """
    principal = request.visitor.principal
    if principal is None:
        return False
    lifetime_seconds = principal.expires_at - principal.issued_at
    if time.time() < principal.issued_at + RENEW_AFTER * lifetime_seconds:
        return False
    token = request.parts.users.renewed_token(request.caller)
    try:
        if token is not None:
            request.log_in(token)
    except InvalidToken as error:
        _log.warning("renewed token not valid", reason=str(error))
        return False
    return token is not None


def log_in_first(request: PageRequest) -> HttpResponse:
    """Send the visitor to the login page, which keeps any submitted text and leads back here."""
    if request.method != "POST":
        wanted = request.get_full_path()
        query = "" if wanted == HOME else "?" + urlencode({"next": wanted})
        return HttpResponseRedirect(f"/login/{query}")
    if request.POST.get("text"):
        problem = gettext("Please log in again. Your text has been kept.")
    else:
        problem = gettext("You are no longer logged in. Please log in again.")
    return login_page(request, next_path=request.path, problem=problem)


def login_page(
    request: PageRequest,
    *,
    next_path: str,
    status: int = 200,
    problem: str = "",
) -> HttpResponse:
    """Return the login form. It keeps the submitted name and draft, but not the password."""
    return show(
        request,
        "login.html",
        status=status,
        form=Form(request.POST, problem),
        next_path=next_path,
        draft=posted_draft(request.POST),
        registration_is_open=request.parts.registration_is_open,
    )


def go_on(request: PageRequest, next_path: str) -> HttpResponse:
    """Redirect to `next_path`, or, if the form had a draft, return a page that keeps it.

    A redirect could carry the draft only in its address.
    """
    draft = posted_draft(request.POST)
    if not draft.text:
        return HttpResponseRedirect(next_path)
    if request.visitor.principal is None:
        return login_page(request, next_path=HOME)
    return own_page(request, draft)


def enter(request: PageRequest, logged_in: LoggedIn, next_path: str) -> HttpResponse:
    """Log in with new tokens, and continue; raises `BackendAway` if they are not valid."""
    try:
        request.log_in(logged_in.token, logged_in.device_token)
    except InvalidToken as error:
        reason = f"a token that is not valid: {error}"
        raise request.parts.users.client.away("bad_answer", reason) from error
    rotate_token(request)
    response = go_on(request, next_path)
    send_session(response, request.visitor)
    return response


def _log_in(request: PageRequest) -> HttpResponse:
    try:
        logged_in = request.parts.users.log_in(request.stranger, **_credentials(request))
    except Forbidden:
        return show(request, "first_password.html", form=Form(request.POST), **_kept(request))
    if logged_in is None:
        raise Refusal(gettext("Invalid login/password, please try again."))
    return enter(request, logged_in, safe_path(request.POST.get("next", "")))


def choose_password(request: PageRequest) -> HttpResponse:
    """Log in with a temporary password, and replace it with a new one."""
    return answer_form(request, "first_password.html", _choose_password, **_kept(request))


def _choose_password(request: PageRequest) -> HttpResponse:
    new_password = new_password_in(request, "new_password")
    logged_in = request.parts.users.log_in(
        request.stranger, **_credentials(request), new_password=new_password
    )
    if logged_in is None:
        raise Refusal(password=gettext("Invalid login/password, please try again."))
    return enter(request, logged_in, safe_path(request.POST.get("next", "")))


def _credentials(request: PageRequest) -> dict[str, Any]:
    return {
        "username": request.POST.get("username", "").strip(),
        "password": Secret(request.POST.get("password", "")),
    }


def _kept(request: PageRequest) -> dict[str, Any]:
    """Return what the forms of a login keep, even when the language is switched."""
    next_path = safe_path(request.POST.get("next", ""))
    return {
        "next_path": next_path,
        "draft": posted_draft(request.POST),
        "here": f"/login/?{query({'next': next_path})}",
    }


def choose_language(request: PageRequest) -> HttpResponse:
    """Remember the chosen language and go back; an unknown language is ignored.

    The resulting page keeps the text that was being typed.
    """
    if request.method != "POST":
        # The browser stays at this address after a switch that kept a text.
        return HttpResponseRedirect(HOME)
    next_path = safe_path(request.POST.get("next", ""))
    chosen = request.POST.get("language", "")
    if chosen not in LANGUAGES:
        return go_on(request, next_path)
    translation.activate(chosen)
    request.language = chosen
    response = go_on(request, next_path)
    set_cookie(response, "language", chosen, max_age_seconds=YEAR_SECONDS)
    return response
