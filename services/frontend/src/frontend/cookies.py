"""The cookies of the Frontend, as they are named without TLS.

mythoughts_session   the access token (`visitor.py`)
mythoughts_language  the language that the visitor chose (`language.py`)
mythoughts_notice    what the next page should say (`notices.py`)
mythoughts_csrf      what the forms are compared with (Django)

None of them is for scripts or for other sites. Behind TLS all are `Secure`, and their names begin
with `__Host-`: browsers take such a cookie from this host alone, and only over TLS (RFC 6265bis).

Other programs on the same host, also at other ports, have cookies of their own, which are none of
our business. Nor is a token of another MyThoughts there: a session cookie is deleted only when it
is known to be ours.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def cookie_name(name: str, *, behind_tls: bool) -> str:
    """Return the whole name of one of our cookies, such as `session`."""
    return f"__Host-mythoughts_{name}" if behind_tls else f"mythoughts_{name}"


def read_cookie(request: HttpRequest, name: str) -> str | None:
    """Return what the browser kept, None if nothing."""
    return request.COOKIES.get(cookie_name(name, behind_tls=settings.CSRF_COOKIE_SECURE))


def set_cookie(response: HttpResponse, name: str, value: str, *, max_age_seconds: int) -> None:
    """Have the browser keep a cookie."""
    response.set_cookie(
        cookie_name(name, behind_tls=settings.CSRF_COOKIE_SECURE),
        value,
        max_age=max_age_seconds,
        httponly=True,
        samesite="Lax",
        secure=settings.CSRF_COOKIE_SECURE,
    )


def forget_cookie(response: HttpResponse, name: str) -> None:
    """Have the browser drop a cookie."""
    # Django makes it Secure when its name asks for that.
    response.delete_cookie(
        cookie_name(name, behind_tls=settings.CSRF_COOKIE_SECURE), samesite="Lax"
    )
