"""Requests that no client would write, byte by byte, and the checks of every response.

A service answers each without a fault of its own and with a request id, logs it in one line, and
stays alive. Requests rejected by its HTTP server itself have neither id nor line.
"""

import re
from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote_from_bytes

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testkit.http_client import HttpClient, read_answer
from testkit.service_process import ServiceProcess

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "BREW"]
# Excluded: headers that decide where the request ends and whether it is the last.
HEADERS = [
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "Cookie",
    "Forwarded",
    "Host",
    "Idempotency-Key",
    "If-None-Match",
    "Origin",
    "Range",
    "Referer",
    "traceparent",
    "tracestate",
    "Upgrade",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Request-ID",
]

# Beyond Latin-1, no UTF-8 at all, half a surrogate pair, line breaks, NUL, and a log line.
STRANGE_PATHS = [
    "/%E6%B0%B4",
    "/%E2%80%99",
    "/%C4%80",
    "/%F0%9F%8C%A7",
    "/%FF%FE",
    "/%ED%A0%80",
    "/%00",
    "/%0D%0AX-Forged:%201",
    "/%0A%7B%22event%22:%22request%22%7D",
    "/%E2%80%A8",
    "/%E6%B0%B4%0A%7B%22event%22:%22request%22%7D",
    "//%E6%B0%B4//",
    "/?search=%E6%B0%B4%FF%00",
    "/%25E6",
    "/%",
]

# `Host` lines that are refused, and beginnings of requests that are not.
BAD_HOSTS = [
    b"",
    b"Host: a\r\nHost: b\r\n",
    b"Host: a\r\nHost: a\r\n",
    b"Host: a\r\nX-Between: b\r\nhost: a\r\n",
    b"Host:\r\n",
    b"Host: a b\r\n",
    b"Host: a/b\r\n",
    b"Host: user@a\r\n",
    b"Host: a:b\r\n",
    b"Host: a:80:80\r\n",
    b"Host: :80\r\n",
    b"Host: [::1\r\n",
    b"Host: ::1\r\n",
    b"Host: http://a\r\n",
    b"Host: a?b\r\n",
    b"Host: a%zz\r\n",
    b"Host: \xff\r\n",
    b"Host: caf\xc3\xa9.example\r\n",
]

GOOD_HOSTS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n",
    b"GET / HTTP/1.1\r\nHost: a:\r\n",
    b"GET / HTTP/1.1\r\nHost: my_service.example.org.:8000\r\n",
    b"GET / HTTP/1.1\r\nHost: xn--mnchen-3ya.de\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n",
    b"GET / HTTP/1.1\r\nHost: [::1]:8000\r\n",
    b"GET http://example.org/ HTTP/1.1\r\nHost: a\r\n",
    b"GET / HTTP/1.0\r\n",
    b"GET / HTTP/1.0\r\nHost: a\r\n",
]

# Responses of the server itself, for requests that the application never sees.
SERVERS_OWN = {400, 413, 431, 501, 505}

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) ")
_REQUEST_ID = re.compile(rb"^x-request-id: (\S+)\r$", re.IGNORECASE | re.MULTILINE)


def strange_requests(paths: Sequence[str]) -> st.SearchStrategy[bytes]:
    """Return requests with arbitrary content, but often enough for one of `paths`."""
    escaped = st.binary(max_size=12).map(quote_from_bytes).map(str.encode)
    raw = st.binary(max_size=12)
    part = st.one_of(escaped, escaped, escaped, st.text(max_size=8).map(str.encode), raw)
    path = st.sampled_from(["/", *paths]).map(str.encode)
    target = st.one_of(
        st.builds(_joined, path, part),
        st.builds(_joined, path, st.just(b"?search="), part),
        st.builds(_joined, path, part, st.just(b"?"), part),
        part,
    )
    method = st.one_of(st.sampled_from(METHODS).map(str.encode), raw)
    name = st.one_of(st.sampled_from(HEADERS).map(str.encode), raw)
    headers = st.lists(st.builds(_joined, name, st.just(b": "), part, st.just(b"\r\n")), max_size=3)
    body = st.sampled_from([b"", b"", b'{"text": 1', b"text=%FF&text=", b"--b\r\n\xff"])
    return st.builds(_request, method, target, headers.map(b"".join), body)


def _joined(*parts: bytes) -> bytes:
    return b"".join(parts)


def _request(method: bytes, target: bytes, headers: bytes = b"", body: bytes = b"") -> bytes:
    lines = b"%b %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n%b\r\n%b"
    return lines % (method, target, len(body), headers, body)


def check_strange_requests(service: ServiceProcess, paths: Sequence[str], examples: int) -> None:
    """Send the strange paths below `paths`, and generated requests; check responses and log."""
    lines_before = len(service.log)
    sent_ids: Counter[str] = Counter()

    @given(strange_requests(paths))
    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def send_generated(request: bytes) -> None:
        sent_ids.update(check_answer(service.http, request))

    for path in (prefix + path for prefix in ("", *paths) for path in STRANGE_PATHS):
        ids = check_answer(service.http, _request(b"GET", path.encode()))
        assert len(ids) == 1, path
        sent_ids.update(ids)
    send_generated()
    service.http.get("/", headers={"X-Request-ID": "the-last"})
    service.wait_for_line("request", request_id="the-last")

    lines = [line for line in service.log[lines_before:] if line["event"] == "request"]
    logged = Counter(line["request_id"] for line in lines)
    sent_ids["the-last"] += 1
    assert logged == sent_ids, (logged - sent_ids, sent_ids - logged)
    # Each line of output is a complete line of the service.
    assert len(service.output) == len(service.log)
    assert service.process.is_running


def check_answer(http: HttpClient, request: bytes) -> list[str]:
    """Send a request, check the response, and return the request ids in it."""
    with http.connection() as connection:
        connection.sendall(request)
        received = read_answer(connection)
    statuses = [int(status) for status in _STATUS.findall(received)]
    ids = [request_id.decode() for request_id in _REQUEST_ID.findall(received)]
    assert statuses, request
    assert all(status < 500 or status in SERVERS_OWN for status in statuses), received
    assert len(ids) >= sum(status not in SERVERS_OWN for status in statuses), received
    return ids
