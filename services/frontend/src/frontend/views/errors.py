"""Pages that say what went wrong."""

from django.http import HttpResponse
from django.utils.translation import gettext

from frontend.drafts import posted_draft
from frontend.errors import BackendName
from frontend.login_page import login_page
from frontend.pages import safe_path, show_message
from frontend.views.thoughts import form_page
from frontend.visitor import PageRequest


def away_page(request: PageRequest, backend: BackendName) -> HttpResponse:
    """Say which part is not working."""
    texts = {
        "thoughts": gettext("Thoughts cannot be read or changed at the moment."),
        "users": gettext("Logging in is not possible at the moment."),
    }
    return show_message(
        request,
        status=503,
        title=gettext("Not working right now"),
        text=texts[backend] + " " + gettext("Please try again in a minute."),
    )


def csrf_failure(request: PageRequest, reason: str) -> HttpResponse:
    """Say that a form was out of date, and offer a fresh one with what was typed."""
    del reason  # Django has logged it.
    problem = gettext(
        "This form was out of date, so nothing was sent. Please try again. Cookies must be allowed."
    )
    draft = posted_draft(request.POST)
    if "username" in request.POST or (draft.text and request.visitor.principal is None):
        next_path = safe_path(request.POST.get("next", request.path))
        return login_page(request, next_path=next_path, status=403, problem=problem)
    if draft.text:
        return form_page(request, draft, status=403, problem=problem)
    return show_message(request, status=403, title=gettext("Please try again"), text=problem)


def bad_request(request: PageRequest, exception: Exception) -> HttpResponse:
    """Say that the request could not be read."""
    del exception
    return show_message(
        request,
        status=400,
        title=gettext("This did not arrive in one piece"),
        text=gettext("The request could not be read."),
    )


def wrong_host(request: PageRequest) -> HttpResponse:
    """Say that the site does not go by the name in the Host header."""
    return show_message(
        request,
        status=400,
        title=gettext("This is not our address"),
        text=gettext("You came here under a name that this site does not go by."),
    )


def forbidden(request: PageRequest, exception: Exception) -> HttpResponse:
    """Say that this may not be done."""
    del exception
    return show_message(
        request,
        status=403,
        title=gettext("Not allowed"),
        text=gettext("You may not do this."),
    )


def not_found(request: PageRequest, exception: Exception) -> HttpResponse:
    """Say that there is nothing at this address."""
    del exception
    return show_message(
        request,
        status=404,
        title=gettext("There is nothing here"),
        text=gettext("The page may have moved, or the thought may have been deleted."),
    )


def server_error(request: PageRequest) -> HttpResponse:
    """Say that the fault is here; what happened is in the log."""
    return show_message(
        request,
        status=500,
        title=gettext("Something went wrong"),
        text=gettext("The fault is ours. It has been noted, and trying again may help."),
    )
