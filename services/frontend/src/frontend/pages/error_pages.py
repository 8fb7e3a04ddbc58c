"""Error pages."""

from django.http import HttpResponse
from django.utils.translation import gettext

from frontend.backends.errors import BackendName
from frontend.pages.showing import show_message
from frontend.pages.visitor import PageRequest


def away_page(request: PageRequest, backend: BackendName) -> HttpResponse:
    """Report which part is not working."""
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


def bad_request(request: PageRequest, exception: Exception) -> HttpResponse:
    """Report that the request could not be read."""
    del exception
    return show_message(
        request,
        status=400,
        title=gettext("This did not arrive in one piece"),
        text=gettext("The request could not be read."),
    )


def wrong_host(request: PageRequest) -> HttpResponse:
    """Report that the Host header does not name this site."""
    return show_message(
        request,
        status=400,
        title=gettext("This is not our address"),
        text=gettext("You came here under a name that this site does not go by."),
    )


def forbidden(request: PageRequest, exception: Exception) -> HttpResponse:
    """Report that the action is not allowed."""
    del exception
    return show_message(
        request,
        status=403,
        title=gettext("Not allowed"),
        text=gettext("You may not do this."),
    )


def not_found(request: PageRequest, exception: Exception) -> HttpResponse:
    """Report that there is nothing at this address."""
    del exception
    return show_message(
        request,
        status=404,
        title=gettext("There is nothing here"),
        text=gettext("The page may have moved, or the thought may have been deleted."),
    )


def server_error(request: PageRequest) -> HttpResponse:
    """Report a fault of the service; details are in the log."""
    return show_message(
        request,
        status=500,
        title=gettext("Something went wrong"),
        text=gettext("The fault is ours. It has been noted, and trying again may help."),
    )
