"""Pages go out compressed, for clients that take it.

An attacker who sees the length of an answer, and can have text of their own in it, learns from
compression what else is in it (BREACH). The token of forms is masked anew in each answer, and
Django's middleware adds up to 100 random bytes, which hides the rest: who is logged in.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

from mythoughts_chassis.static_content import prefers_gzip


class CompressPages(GZipMiddleware):
    """Django's own, but for clients that name gzip to refuse it (`gzip;q=0`)."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compress the answer, or leave it as it is."""
        patch_vary_headers(response, ("Accept-Encoding",))
        if not prefers_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            return response
        return super().process_response(request, response)
