"""Content that does not change: compression and ETags."""

import gzip

import pytest

from mythoughts_chassis.static_content import StaticContent, matches_etag, prefers_gzip

CONTENT = StaticContent(b"body {}\n" * 100, "text/css", "max-age=60")


@pytest.mark.parametrize(
    "accept_encoding",
    [
        "gzip",
        "GZIP",
        "x-gzip",
        "*",
        "gzip, deflate, br, zstd",
        "br;q=1.0, gzip;q=0.8, *;q=0.1",
        "deflate,gzip ; q=0.001",
        "identity;q=0.5, gzip;q=0.5",
        "identity;q=0, *;q=0.3",
        "gzip;Q=1.000",
    ],
)
def test_client_that_takes_gzip_gets_it(accept_encoding: str) -> None:
    """Gzip is accepted by name or by *, with any weight above zero."""
    assert prefers_gzip(accept_encoding)


@pytest.mark.parametrize(
    "accept_encoding",
    [
        "",
        "identity",
        "br, deflate",
        "gzip;q=0",
        "gzip;q=0.000",
        "gzip;q=0, *",
        "*;q=0",
        "gzip;q=0.5, identity",
        "identity;q=0.8, gzip;q=0.5",
        "gzip;q=2",
        "gzip;q=-1",
        "gzip;q=nan",
        "gzip;q=1e1",
        "gzip;q",
        "gzip;level=9",
        "gzipped",
        ",;,=",
    ],
)
def test_client_that_does_not_gets_plain_bytes(accept_encoding: str) -> None:
    """A zero weight, a preference for plain bytes, or a malformed header means no gzip."""
    assert not prefers_gzip(accept_encoding)


def test_both_forms_hold_the_same() -> None:
    """The compressed form is smaller and decompresses to the plain one."""
    plain_status, plain_headers, plain = CONTENT.answer("", "")
    status, headers, compressed = CONTENT.answer("gzip", "")

    assert (plain_status, status) == (200, 200)
    assert "Content-Encoding" not in plain_headers
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed) == plain == CONTENT.content
    assert len(compressed) < len(plain)


@pytest.mark.parametrize("accept_encoding", ["", "gzip"])
def test_content_that_is_known_is_not_sent_again(accept_encoding: str) -> None:
    """The ETag of either form gets 304, with the headers that caches need."""
    etag = CONTENT.answer("gzip", "")[1]["ETag"]

    status, headers, body = CONTENT.answer(accept_encoding, f'"other", {etag}')

    assert (status, body) == (304, b"")
    assert headers == {"Cache-Control": "max-age=60", "ETag": etag, "Vary": "Accept-Encoding"}


def test_other_content_has_another_etag() -> None:
    """An ETag identifies the bytes."""
    etag = StaticContent(b"other", "text/css").answer("", "")[1]["ETag"]

    assert CONTENT.answer("", etag)[0] == 200


@pytest.mark.parametrize(
    ("if_none_match", "matches"),
    [
        ('"a"', True),
        ('W/"a"', True),
        ('"b",W/"a"', True),
        ("*", True),
        ("", False),
        ("a", False),
        ('"A"', False),
    ],
)
def test_etags_are_compared_weakly(if_none_match: str, matches: bool) -> None:
    """The weak prefix of an ETag makes no difference."""
    assert matches_etag(if_none_match, '"a"') is matches
    assert matches_etag(if_none_match, 'W/"a"') is matches
