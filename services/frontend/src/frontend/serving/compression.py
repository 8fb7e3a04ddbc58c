"""Compression of pages, for clients that accept it.

An attacker who sees the length of a compressed response and controls part of its text can infer
the rest (BREACH). Two measures prevent this: forms' CSRF tokens are masked differently in each
response, and Django's middleware adds up to 100 random bytes, which hide who is logged in.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

from mythoughts_chassis.static_content import prefers_gzip


class CompressPages(GZipMiddleware):
    """Django's middleware, but it respects clients that refuse gzip (`gzip;q=0`)."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compress the response if the client prefers that."""
        patch_vary_headers(response, ("Accept-Encoding",))
        if not prefers_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            return response
        return super().process_response(request, response)
