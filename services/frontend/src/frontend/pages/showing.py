"""Rendering of pages: the context common to all templates, and redirects."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from frontend.pages.cookies import forget_cookie
from frontend.pages.notices import NOTICE_COOKIE, notice_for
from frontend.pages.visitor import PageRequest
from mythoughts_chassis.observation import current_ids

HOME = "/"
RETRY_AFTER_SECONDS = 5


def show(request: PageRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Return `template` rendered with `context` and the context common to all pages."""
    notice = notice_for(request)
    every_page = {
        "visitor": request.visitor.principal,
        "language": request.language,
        "here": request.get_full_path() if request.method in ("GET", "HEAD") else HOME,
        "form_token": get_token(request),
        "notice": notice,
        "search": "",
        "status": status,
        "request_id": current_ids.get().request_id,
    }
    response = render(request, template, {**every_page, **context}, status=status)
    if b"\0" in response.content:
        # HTML cannot contain this character; browsers show U+FFFD instead.
        response.content = response.content.replace(b"\0", "\ufffd".encode())
    if notice:
        forget_cookie(response, NOTICE_COOKIE)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def show_message(request: PageRequest, *, status: int, title: str, text: str) -> HttpResponse:
    """Return a page that contains only a message."""
    return show(request, "message.html", status=status, title=title, text=text)


def redirect_to_login(request: PageRequest) -> HttpResponse:
    """Redirect to the login page, which leads back to the requested page."""
    wanted = request.get_full_path()
    query = "" if wanted == HOME else "?" + urlencode({"next": wanted})
    return HttpResponseRedirect(f"/login/{query}")


def safe_path(path: str) -> str:
    """Return `path` if it stays on this site, else the home page."""
    is_local = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_local else HOME
