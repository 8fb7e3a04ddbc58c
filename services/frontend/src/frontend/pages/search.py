"""Everybody's thoughts."""

from django.http import HttpResponse
from django.utils.translation import gettext

from frontend.backends.cursors import EntryPage, cursor_in
from frontend.backends.errors import BackendAway, BackendRefused, TooManyRequests
from frontend.backends.thoughts_backend import Thought
from frontend.pages.rendering import RETRY_AFTER_SECONDS, show
from frontend.pages.visitor import PageRequest
from frontend.pages.waiting import waiting_time


def search(request: PageRequest) -> HttpResponse:
    """Thoughts that contain `search`, those of the author `username`, or the newest of all."""
    # Keyboards that complete words add a space, which is not meant to be searched for.
    words, username = (request.GET.get(name, "").strip() for name in ("search", "username"))
    cursor = cursor_in(request.GET)
    page: EntryPage[Thought] | None = None
    status, fault, retry_after_seconds = 200, "", RETRY_AFTER_SECONDS
    try:
        page = request.parts.thoughts.search(
            request.stranger, search=words, username=username, cursor=cursor
        )
    except BackendAway:
        status = 503
        fault = gettext("Thoughts cannot be searched at the moment. Please try again in a minute.")
    except TooManyRequests as limit:
        status, retry_after_seconds = 429, limit.retry_after_seconds
        fault = gettext(
            "There have been many searches from your network. Please try again in %(time)s."
        ) % {"time": waiting_time(retry_after_seconds)}
    except BackendRefused:
        status = 400
        fault = gettext("This search is not valid. Please try other words.")
    return show(
        request,
        "search.html",
        status=status,
        retry_after_seconds=retry_after_seconds,
        search=words,
        username=username,
        filters={"search": words, "username": username},
        fault=fault,
        page=page,
        is_first=cursor is None,
    )
