"""Swagger UI, as sent over the wire."""

import gzip

import pytest

from chassis.tests.conftest import ServeEndpoints
from mythoughts_chassis.swagger import swagger_endpoints
from testkit.http_client import HttpClient

PATHS = [
    "/schema/openapi.json",
    "/schema/swagger",
    "/schema/assets/start.js",
    "/schema/assets/swagger-ui.css",
    "/schema/assets/swagger-ui-bundle.js",
]
DOCUMENT = {"openapi": "3.1.0", "info": {"title": "Things", "version": "1"}, "paths": {}}


@pytest.fixture
def http(serve_endpoints: ServeEndpoints) -> HttpClient:
    """A client of Swagger UI."""
    return serve_endpoints(*swagger_endpoints(DOCUMENT))


@pytest.mark.parametrize("path", PATHS)
def test_files_come_compressed(http: HttpClient, path: str) -> None:
    """A client that accepts gzip gets fewer bytes with the same content; caches are told so."""
    plain = http.get(path)
    compressed = http.get(path, headers={"Accept-Encoding": "gzip"})

    assert compressed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed.body) == plain.body
    assert compressed.headers["Content-Type"] == plain.headers["Content-Type"]
    assert int(compressed.headers["Content-Length"]) == len(compressed.body)
    assert "Content-Encoding" not in plain.headers
    assert {plain.headers["Vary"], compressed.headers["Vary"]} == {"Accept-Encoding"}


def test_swagger_ui_is_a_third_of_its_size(http: HttpClient) -> None:
    """The 1.6 MB script is sent as half a megabyte."""
    answer = http.get(PATHS[-1], headers={"Accept-Encoding": "gzip, deflate, br"})

    assert len(answer.body) < 600_000


@pytest.mark.parametrize("path", PATHS)
def test_files_are_not_sent_again(http: HttpClient, path: str) -> None:
    """A client that revalidates an unchanged file does not get it again."""
    first = http.get(path, headers={"Accept-Encoding": "gzip"})

    second = http.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert (second.status, second.body) == (304, b"")
    assert second.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept_encoding", ["", "gzip"])
def test_head_has_the_headers_of_get(http: HttpClient, path: str, accept_encoding: str) -> None:
    """HEAD returns the length of what GET would send."""
    headers = {"Accept-Encoding": accept_encoding}
    get = http.get(path, headers=headers)

    head = http.request("HEAD", path, headers=headers)

    names = ("Content-Length", "Content-Type", "Content-Encoding", "ETag", "Vary")
    assert (head.status, head.body) == (200, b"")
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]
