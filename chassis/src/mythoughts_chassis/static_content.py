"""Content that does not change while the process runs: compressed, with conditional requests.

It is compressed once, on the first request for it.
"""

import gzip
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

# The best level takes four times as long and saves 2 % (Swagger UI).
LEVEL = 6
# RFC 9110, section 12.4.2.
_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


@dataclass(frozen=True)
class StaticContent:
    """Bytes, their media type and their `Cache-Control` value."""

    content: bytes
    media_type: str
    cache_control: str = "no-cache"

    @cached_property
    def _compressed(self) -> bytes:
        return gzip.compress(self.content, LEVEL, mtime=0)

    @cached_property
    def _etag(self) -> str:
        # Weak: it also identifies the compressed bytes (RFC 9110, section 8.8.1).
        return f'W/"{sha256(self.content).hexdigest()[:24]}"'

    def answer(self, accept_encoding: str, if_none_match: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body for a request with these headers, "" for none.

        The headers include neither type nor length.
        """
        headers = {
            "Cache-Control": self.cache_control,
            "ETag": self._etag,
            "Vary": "Accept-Encoding",
        }
        if matches_etag(if_none_match, self._etag):
            return 304, headers, b""
        if prefers_gzip(accept_encoding):
            return 200, headers | {"Content-Encoding": "gzip"}, self._compressed
        return 200, headers, self.content


def prefers_gzip(accept_encoding: str) -> bool:
    """Whether a client accepts gzip and does not prefer plain bytes (RFC 9110, 12.5.3)."""
    weights = {}
    for item in accept_encoding.lower().split(","):
        coding, _, weight = item.partition(";")
        weights[coding.strip()] = _weight(weight.strip()) if weight else 1.0
    gzip_weight = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip_weight > 0 and gzip_weight >= weights.get("identity", 0.0)


def matches_etag(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as RFC 9110 requires for If-None-Match; commas join repeated headers."""
    candidates = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return etag.removeprefix("W/") in candidates or "*" in candidates


def _weight(text: str) -> float:
    """Return the number in "q=0.5"; anything malformed counts as 0."""
    found = _WEIGHT.fullmatch(text)
    return float(found[1]) if found else 0.0
