"""The addresses of the pages. Each works with and without a trailing slash."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.urls import URLPattern, path

from frontend.pages import account, administration, export, login, thoughts
from frontend.pages.error_pages import error_page
from frontend.pages.page_request import View

READ = ("GET", "HEAD")
WRITE = ("POST",)

PAGES: tuple[tuple[str, View, tuple[str, ...]], ...] = (
    ("", thoughts.own, READ),
    ("thoughts", thoughts.own, READ),
    ("thoughts/new", thoughts.share, READ + WRITE),
    ("thoughts/<int:thought_id>/delete", thoughts.delete, READ + WRITE),
    ("search", thoughts.search, READ),
    ("login", login.log_in, READ + WRITE),
    ("login/password", login.choose_password, READ + WRITE),
    ("register", account.register, READ + WRITE),
    ("logout", login.log_out, READ + WRITE),
    ("account", account.overview, READ),
    ("account/password", account.change_password, READ + WRITE),
    ("account/sessions", account.sessions, READ),
    ("account/sessions/<int:session_id>/end", account.end_session, READ + WRITE),
    ("account/sessions/end-others", account.end_other_sessions, READ + WRITE),
    ("account/export", export.choose, READ),
    ("account/export/thoughts.json", export.as_json, READ),
    ("account/export/thoughts.csv", export.as_csv, READ),
    ("account/delete", account.delete_account, READ + WRITE),
    ("admin", administration.home, READ),
    ("admin/users", administration.users, READ),
    ("admin/users/new", administration.new_user, READ + WRITE),
    ("admin/users/<int:user_id>", administration.user, READ + WRITE),
    ("admin/users/<int:user_id>/delete", administration.delete_user, READ + WRITE),
    ("admin/thoughts", administration.thoughts, READ),
    ("admin/thoughts/<int:thought_id>/delete", administration.delete_thought, READ + WRITE),
    ("admin/audit", administration.audit, READ),
    ("language", login.choose_language, READ + WRITE),
)

ALLOWED_METHODS: dict[Any, tuple[str, ...]] = {view: methods for _, view, methods in PAGES}


def _patterns() -> Iterator[URLPattern]:
    for route, view, _ in PAGES:
        yield path(route, view)
        if route:
            yield path(f"{route}/", view)


urlpatterns = list(_patterns())

# The pages for Django's own errors, under the names that Django looks for.
handler400 = partial(error_page, status=400)
handler403 = partial(error_page, status=403)
handler404 = partial(error_page, status=404)
handler500 = partial(error_page, status=500)
