"""The addresses of the pages. Each works with and without a trailing slash."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, path

from frontend.pages import language, login, search, thoughts
from frontend.pages.error_pages import FAULT, FORBIDDEN, NOT_FOUND, UNREADABLE, show_message

View = Callable[..., HttpResponse]

READ = ("GET", "HEAD")
WRITE = ("POST",)

PAGES: tuple[tuple[str, View, tuple[str, ...]], ...] = (
    ("", thoughts.own, READ),
    ("thoughts", thoughts.own, READ),
    ("thoughts/new", thoughts.share, READ + WRITE),
    ("thoughts/<int:thought_id>/delete", thoughts.delete, READ + WRITE),
    ("search", search.search, READ),
    ("login", login.log_in, READ + WRITE),
    ("logout", login.log_out, READ + WRITE),
    ("language", language.choose, READ + WRITE),
)

ALLOWED_METHODS: dict[Any, tuple[str, ...]] = {view: methods for _, view, methods in PAGES}


def _patterns() -> Iterator[URLPattern]:
    for route, view, _ in PAGES:
        yield path(route, view)
        if route:
            yield path(f"{route}/", view)


urlpatterns = list(_patterns())

# Django's errors, by status.
handler400 = partial(show_message, message=UNREADABLE)
handler403 = partial(show_message, message=FORBIDDEN)
handler404 = partial(show_message, message=NOT_FOUND)
handler500 = partial(show_message, message=FAULT)
