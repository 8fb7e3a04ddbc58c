"""Creating an account for oneself, where registration is open."""

import structlog
from django.http import Http404, HttpResponse
from django.utils.translation import gettext

from frontend.backends.errors import BackendAway, Conflict, Forbidden, TooManyRequests
from frontend.pages.forms import Refusal, answer_form, new_password_in
from frontend.pages.login import enter
from frontend.pages.reasons import reason_in_words
from frontend.pages.rendering import HOME, redirect_with_notice, set_notice
from frontend.pages.visitor import PageRequest
from mythoughts_chassis.tokens import InvalidToken

_log = structlog.get_logger()


def register(request: PageRequest) -> HttpResponse:
    """Create an account and log in."""
    if not request.parts.registration_is_open:
        raise Http404
    return answer_form(request, "register.html", _register)


def _register(request: PageRequest) -> HttpResponse:
    caller = request.stranger
    username = request.POST.get("username", "").strip()
    password = new_password_in(request, "password")
    try:
        request.parts.users.register(caller, username=username, password=password)
    except Conflict as conflict:
        raise Refusal(username=reason_in_words(str(conflict))) from None
    except Forbidden:
        # The setting of the Users Backend decides.
        raise Refusal(username=gettext("Registration is closed.")) from None
    try:
        logged_in = request.parts.users.log_in(caller, username=username, password=password)
        if logged_in is not None:
            response = enter(request, logged_in, HOME)
            set_notice(response, "registered")
            return response
    except (BackendAway, TooManyRequests, InvalidToken) as error:
        _log.warning("login after registration not possible", reason=str(error))
    return redirect_with_notice("/login/", "registered-log-in")
