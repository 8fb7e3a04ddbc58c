"""Forms that change something. They are shown, sent, and shown again with the problems found.

A view is one call of `answer_form`. The function passed to it does the form's work; it returns a
redirect, or raises a `Refusal` or a backend error:

    def change_password(request: PageRequest) -> HttpResponse:
        return answer_form(request, "password.html", _change_password)
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from frontend.backends.errors import (
    BackendAway,
    BackendRefused,
    Conflict,
    Forbidden,
    TooManyRequests,
)
from frontend.pages.page_request import PageRequest
from frontend.pages.rendering import RETRY_AFTER_SECONDS, show
from frontend.pages.words import reason_in_words, waiting_time
from mythoughts_chassis.settings import Secret

_AWAY = gettext_lazy("This is not possible at the moment. Please try again in a minute.")


class Form(NamedTuple):
    """A form as shown: what was typed, the problem with the form, and those with its fields.

    Templates put what was typed back into all fields except passwords.
    """

    typed: Mapping[str, str] = {}
    problem: str = ""
    problems: Mapping[str, str] = {}


class Refusal(Exception):
    """The form cannot be accepted; says why, for the form as a whole or for each field.

    The status is 200, as after a failed login, if the user can correct the form: browsers report
    any 4xx as an error.
    """

    def __init__(
        self,
        problem: str = "",
        status: int = 200,
        retry_after_seconds: int = RETRY_AFTER_SECONDS,
        /,
        **problems: str,
    ) -> None:
        super().__init__(problem, *problems)
        self.problem = problem
        self.problems = problems
        self.status = status
        self.retry_after_seconds = retry_after_seconds


def answer_form(
    request: PageRequest,
    template: str,
    act: Callable[[PageRequest], HttpResponse],
    *,
    away: str | Promise = "",
    **context: Any,
) -> HttpResponse:
    """Show the form for GET. For POST, call `act`, and show the form again if that is refused.

    `away` is the message shown while a backend is unavailable. `Unauthorized`, and errors that have
    nothing to do with the form, are left to the middleware.
    """
    if request.method != "POST":
        return show(request, template, form=Form(), **context)
    try:
        return act(request)
    except (Refusal, TooManyRequests, BackendAway, BackendRefused, Conflict) as error:
        refusal = _refusal(error, away)
    return show(
        request,
        template,
        status=refusal.status,
        retry_after_seconds=refusal.retry_after_seconds,
        form=Form(request.POST, refusal.problem, refusal.problems),
        **context,
    )


def _refusal(error: Exception, away: str | Promise) -> Refusal:
    match error:
        case Refusal():
            return error
        case TooManyRequests(is_crowded=True):
            return must_wait(
                error,
                gettext("Many people are logging in right now. Please try again in %(time)s."),
            )
        case TooManyRequests():
            return must_wait(error, gettext("Too many attempts. Please try again in %(time)s."))
        case BackendAway():
            return Refusal(str(away or _AWAY), 503)
        case BackendRefused(errors=errors) if errors:
            return Refusal(**{field: reason_in_words(why) for field, why in errors.items()})
    return Refusal(reason_in_words(str(error)))


def must_wait(limit: TooManyRequests, problem: str) -> Refusal:
    """Return a refusal that says how long to wait, in place of `%(time)s` in `problem`."""
    seconds = limit.retry_after_seconds
    return Refusal(problem % {"time": waiting_time(seconds)}, 429, seconds)


def new_password_in(request: PageRequest, name: str) -> Secret:
    """Return the new password in the field `name`; raises `Refusal` unless it is typed twice."""
    password = request.POST.get(name, "")
    if request.POST.get("repeated", "") != password:
        raise Refusal(repeated=gettext("The two passwords are not the same."))
    return Secret(password)


@contextmanager
def password_checked() -> Iterator[None]:
    """Report a password that the backend rejects within the block at the field `password`."""
    try:
        yield
    except Forbidden:
        raise Refusal(password=gettext("The current password is wrong.")) from None
