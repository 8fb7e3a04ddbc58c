"""The cookies of the Frontend, with their names without TLS.

mythoughts_session   the access token (`visitor.py`)
mythoughts_language  the language chosen by the visitor (`language.py`)
mythoughts_notice    the notice for the next page (`notices.py`)
mythoughts_csrf      the CSRF token that forms are compared with (Django)

Neither scripts nor other sites can use them. Behind TLS they are all `Secure`, and their names
begin with `__Host-`: browsers accept such cookies only from this host and over TLS (RFC 6265bis).

Other programs on the same host, even on other ports, have their own cookies, which must not be
touched. The same holds for the token of another MyThoughts: a session cookie is deleted only if it
is known to be from this one.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def cookie_name(name: str, *, behind_tls: bool) -> str:
    """Return the full name of a cookie such as `session`."""
    return f"__Host-mythoughts_{name}" if behind_tls else f"mythoughts_{name}"


def read_cookie(request: HttpRequest, name: str) -> str | None:
    """Return the cookie's value, or None if there is none."""
    return request.COOKIES.get(cookie_name(name, behind_tls=settings.CSRF_COOKIE_SECURE))


def set_cookie(response: HttpResponse, name: str, value: str, *, max_age_seconds: int) -> None:
    """Set a cookie in the browser."""
    response.set_cookie(
        cookie_name(name, behind_tls=settings.CSRF_COOKIE_SECURE),
        value,
        max_age=max_age_seconds,
        httponly=True,
        samesite="Lax",
        secure=settings.CSRF_COOKIE_SECURE,
    )


def forget_cookie(response: HttpResponse, name: str) -> None:
    """Delete a cookie in the browser."""
    # Django makes it Secure if its name requires that.
    response.delete_cookie(
        cookie_name(name, behind_tls=settings.CSRF_COOKIE_SECURE), samesite="Lax"
    )
