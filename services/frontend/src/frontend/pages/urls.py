"""The addresses of the pages. Each works with and without a trailing slash."""

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, path

from frontend.pages import error_pages, language_switch, search, session, thoughts

View = Callable[..., HttpResponse]

READ = ("GET", "HEAD")
WRITE = ("POST",)

PAGES: tuple[tuple[str, View, tuple[str, ...]], ...] = (
    ("", thoughts.own, READ),
    ("thoughts", thoughts.own, READ),
    ("thoughts/new", thoughts.share, READ + WRITE),
    ("thoughts/<int:thought_id>/delete", thoughts.delete, READ + WRITE),
    ("search", search.search, READ),
    ("login", session.log_in, READ + WRITE),
    ("logout", session.log_out, READ + WRITE),
    ("language", language_switch.choose, READ + WRITE),
)

ALLOWED_METHODS: dict[Any, tuple[str, ...]] = {view: methods for _, view, methods in PAGES}


def _patterns() -> Iterator[URLPattern]:
    for route, view, _ in PAGES:
        yield path(route, view)
        if route:
            yield path(f"{route}/", view)


urlpatterns = list(_patterns())

handler400 = error_pages.bad_request
handler403 = error_pages.forbidden
handler404 = error_pages.not_found
handler500 = error_pages.server_error
