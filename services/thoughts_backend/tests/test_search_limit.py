"""Searches can be limited by the network of the client."""

import re
from collections.abc import Iterator

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.http_client import Answer, HttpClient
from testkit.thoughts_sql import Sql

pytestmark = pytest.mark.security


def search(http: HttpClient, address: str, path: str = "/api/thoughts/", token: str = "") -> Answer:
    """Search as a client behind a proxy."""
    headers = {"X-Forwarded-For": address}
    return http.get(f"{path}?search=rain", headers=headers, token=token or None)


@pytest.fixture
def limited(make_backend: MakeBackend, sql: Sql) -> Iterator[HttpClient]:
    """A client of a backend that answers two searches a minute, behind a proxy on this machine."""
    sql.add_thoughts("Rain")
    backend = make_backend(SEARCHES_PER_MINUTE="2", TRUSTED_PROXIES="127.0.0.0/8")
    backend.start()
    yield backend.http
    backend.stop()


def test_searches_beyond_the_limit_are_refused(limited: HttpClient, bruce: str) -> None:
    """The third search of a minute is a 429, among everybody's thoughts and one's own."""
    search(limited, "192.0.2.1")
    search(limited, "192.0.2.1", "/api/me/thoughts/", bruce)

    refusal = search(limited, "192.0.2.1")

    assert refusal.status == 429
    assert 0 < int(refusal.headers["Retry-After"]) <= 60
    assert refusal.headers["RateLimit-Policy"] == '"searches";q=2;w=60'
    assert search(limited, "192.0.2.1", "/api/me/thoughts/", bruce).status == 429


def test_a_search_says_what_is_left(limited: HttpClient, bruce: str) -> None:
    """Its `RateLimit` headers count all searches of the network; a page keeps its links."""
    first = search(limited, "192.0.2.1")
    second = search(limited, "192.0.2.1", "/api/me/thoughts/", bruce)

    assert first.headers["RateLimit-Policy"] == '"searches";q=2;w=60'
    assert re.fullmatch('"searches";r=1;t=([1-9]|[1-5][0-9]|60)', first.headers["RateLimit"])
    assert second.headers["RateLimit"].startswith('"searches";r=0;')
    assert 'rel="prev"' in first.headers["Link"]


def test_networks_are_limited_apart(limited: HttpClient) -> None:
    """Another IPv4 address may still search; IPv6 addresses of one customer count together."""
    for _ in range(3):
        search(limited, "192.0.2.1")
        search(limited, "2001:db8::1")

    assert search(limited, "192.0.2.2").status == 200
    assert search(limited, "2001:db8::ffff").status == 429
    assert search(limited, "2001:db8:0:1::1").status == 200


def test_lists_are_not_limited(limited: HttpClient) -> None:
    """Lists do not count and are not refused, nor do searches for nothing, which are lists."""
    headers = {"X-Forwarded-For": "192.0.2.1"}
    lists = ["/api/thoughts/", "/api/thoughts/?search=", "/api/thoughts/?search=%20"] * 2
    answers = [limited.get(path, headers=headers).status for path in lists]

    assert answers == [200] * 6
    assert search(limited, "192.0.2.1").headers["RateLimit"].startswith('"searches";r=1;')


def test_searches_are_unlimited_by_default(http: HttpClient) -> None:
    """Unless the setting is set, nothing is refused."""
    answers = [search(http, "192.0.2.1") for _ in range(100)]

    assert {answer.status for answer in answers} == {200}
    assert not any("RateLimit" in answer.headers for answer in answers)
