"""The cookies of the Frontend.

mythoughts_session   the access token: HttpOnly; SameSite=Lax; Max-Age=<until it expires>
mythoughts_device    a token that shows at the next login that this browser is known: for 400 days
mythoughts_language  the language that the visitor chose
mythoughts_notice    the notice for the next page (`rendering.py`)
mythoughts_csrf      the CSRF token that forms are compared with (Django)

Neither scripts nor other sites can use them. Behind TLS they are all `Secure`, and their names
begin with `__Host-`: browsers accept such cookies only from this host and over TLS (RFC 6265bis).

Other programs on the same host, even on other ports, have their own cookies, which must not be
touched. The same holds for the token of another MyThoughts: a session cookie is deleted only if it
is known to be from this one.
"""

from collections import Counter

from django.conf import settings
from django.http import HttpResponse, parse_cookie


def cookie_name(name: str, *, behind_tls: bool) -> str:
    """Return the full name of a cookie such as `session`."""
    return f"__Host-mythoughts_{name}" if behind_tls else f"mythoughts_{name}"


def full_name(name: str) -> str:
    """Return the full name of a cookie in this installation."""
    return cookie_name(name, behind_tls=settings.CSRF_COOKIE_SECURE)


def cookies_in(header: str) -> dict[str, str]:
    """Return the cookies in a `Cookie` header; one that comes twice counts as none.

    Another host of the domain may have set one of the two, and which comes first is up to it.
    """
    cookies = parse_cookie(header)
    if len(cookies) <= header.count(";"):
        names = Counter(chunk.partition("=")[0].strip() for chunk in header.split(";"))
        return {name: value for name, value in cookies.items() if names[name] == 1}
    return cookies


def set_cookie(response: HttpResponse, name: str, value: str, *, max_age_seconds: int) -> None:
    """Set a cookie in the browser."""
    response.set_cookie(
        full_name(name),
        value,
        max_age=max_age_seconds,
        httponly=True,
        samesite="Lax",
        secure=settings.CSRF_COOKIE_SECURE,
    )


def forget_cookie(response: HttpResponse, name: str) -> None:
    """Delete a cookie in the browser."""
    # Django makes it Secure if its name requires that.
    response.delete_cookie(full_name(name), samesite="Lax")
