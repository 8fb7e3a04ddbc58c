"""Common to all responses: headers, methods, ids, health, static files."""

import http.client
import re
import socket
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import pytest
from structlog.testing import capture_logs

from services.frontend.tests.conftest import RunningFrontend
from testkit.browser import Browser
from testkit.fake_backend import FakeThoughtsBackend
from testkit.http_client import HttpClient, read_answer

PAGES = [
    "/",
    "/thoughts/",
    "/search",
    "/login/",
    "/logout/",
    "/nothing-here",
    "/healthz",
    "/metrics/",
]


@pytest.mark.parametrize(
    "path",
    [*PAGES, "/static/nothing.css", "/thoughts/new", "/robots.txt", "/favicon.ico", "/%E6%B0%B4"],
)
def test_every_answer_has_the_security_headers(browser: Browser, path: str) -> None:
    """Every response tells browsers to be strict about it."""
    answer = browser.get(path, follow=False)

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "Server" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/search", "/login/", "/logout/", "/nothing-here"])
def test_every_page_has_search_and_csrf(bruce: Browser, path: str) -> None:
    """Every page has the search box, and every form with an effect has its CSRF field."""
    page = bruce.get(path)

    posts = [form for form in page.forms if form.method == "post"]
    assert page.form("/search")
    assert posts
    assert all("csrfmiddlewaretoken" in form.fields for form in posts)


@pytest.mark.parametrize("path", ["/", "/search", "/login/", "/logout/", "/nothing-here"])
def test_pages_have_nothing_inline_and_nothing_from_elsewhere(bruce: Browser, path: str) -> None:
    """Pages follow their own policy: no inline script or style, no other host."""
    page = bruce.get(path)

    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)
    assert not re.search(r'(?:src|href)="(?!/|#)', page.text)


def test_request_id_of_the_client_is_kept(browser: Browser) -> None:
    """A well-formed request id is returned."""
    answer = browser.get("/search", X_Request_ID="abc-1.2_3")

    assert answer.headers["X-Request-ID"] == "abc-1.2_3"


def test_malformed_request_id_is_replaced(browser: Browser) -> None:
    """A request id that could forge log lines or headers is replaced with a new one."""
    answer = browser.get("/search", X_Request_ID='bad id"<script>')

    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_missing_page_says_so_with_its_request_id(browser: Browser) -> None:
    """A 404 page has the common layout, and the request id to report."""
    page = browser.get("/nothing-here")

    assert page.status == 404
    assert "Page not found" in page.words
    assert page.headers["X-Request-ID"] in page.words


@pytest.mark.parametrize("path", ["/thoughts/0/x", "/thoughts/-1/delete", "/thoughts/1.5/delete"])
def test_invalid_ids_are_404(bruce: Browser, path: str) -> None:
    """An address with an invalid id is not found."""
    page = bruce.get(path)

    assert page.status == 404


def test_id_past_64_bits_is_404(bruce: Browser) -> None:
    """An id too large for any thought is not found."""
    page = bruce.get(f"/thoughts/{2**63}/delete")

    assert page.status == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/", "/search", "/login/", "/thoughts/new", "/language/"])
def test_wrong_methods_are_405_with_allow(browser: Browser, path: str, method: str) -> None:
    """The response to an unsupported method lists the supported ones."""
    answer = browser.get(path, method=method)

    assert answer.status == 405
    assert "GET" in answer.headers["Allow"] or "POST" in answer.headers["Allow"]
    assert method not in answer.headers["Allow"]


def test_post_to_a_read_only_page_is_405(browser: Browser) -> None:
    """POST to a page without a form is rejected before its fields are read."""
    answer = browser.post("/search", {})

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/search", "/login", "/healthz", "/nothing-here"])
def test_head_is_get_without_the_body(frontend: RunningFrontend, path: str) -> None:
    """HEAD returns the headers of GET, and the connection stays in sync."""
    connection = http.client.HTTPConnection(urlsplit(frontend.url).netloc, timeout=10)

    connection.request("HEAD", path)
    head = connection.getresponse()
    body = head.read()
    connection.request("GET", path)
    get = connection.getresponse()

    assert body == b""
    assert head.status == get.status
    assert head.headers["Content-Length"] == str(len(get.read()))
    connection.close()


def test_connections_of_browsers_are_kept(frontend: RunningFrontend) -> None:
    """A browser can use its connection again after a page and after a redirect."""
    connection = http.client.HTTPConnection(urlsplit(frontend.url).netloc, timeout=10)

    for path in ("/search", "/", "/search"):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert not answer.will_close, path
    connection.close()


def test_page_begins_in_the_first_packet(frontend: RunningFrontend) -> None:
    """The head of a response is sent together with the page."""
    with socket.create_connection(("127.0.0.1", frontend.port)) as client:
        for _ in range(20):
            client.sendall(b"GET /login/ HTTP/1.1\r\nHost: localhost\r\n\r\n")

            head, _, page = client.recv(65_536).partition(b"\r\n\r\n")

            assert head.startswith(b"HTTP/1.1 200 ")
            assert page.rstrip().endswith(b"</html>")


def test_static_files_are_kept_by_browsers(browser: Browser) -> None:
    """The files of a page can be cached forever: their addresses depend on their contents."""
    addresses = re.findall(r'"(/static/[^"]+)"', browser.get("/login/").text)

    answers = [browser.get(address) for address in addresses]

    assert {answer.status for answer in answers} == {200}
    assert all("immutable" in answer.headers["Cache-Control"] for answer in answers)
    assert {answer.headers["Content-Type"].split(";")[0] for answer in answers} == {
        "text/css",
        "image/svg+xml",
        "text/javascript",
    }


def test_page_of_another_version_has_styles(browser: Browser) -> None:
    """A static file with another version's hash is this version's, and browsers do not keep it."""
    addresses = re.findall(r'"(/static/[^"]+)"', browser.get("/login/").text)
    own = [browser.get(address) for address in addresses]

    others = [browser.get(re.sub(r"[0-9a-f]{12}", "0" * 12, address)) for address in addresses]

    assert [(answer.status, answer.text) for answer in others] == [(200, a.text) for a in own]
    assert [a.headers["Content-Type"] for a in others] == [a.headers["Content-Type"] for a in own]
    assert {answer.headers["Cache-Control"] for answer in others} == {"no-store"}


@pytest.mark.parametrize(
    "path",
    ["/static/", "/static/../app.py", "/static/%2e%2e/app.py", "/static/app.0123456789ab.py"],
)
def test_nothing_but_static_files_is_served(browser: Browser, path: str) -> None:
    """No path leads out of the folder of static files."""
    page = browser.get(path)

    assert page.status == 404


@pytest.mark.parametrize("method", ["POST", "DELETE", "BREW"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz/", "/robots.txt", "/static/x.css"])
def test_refused_methods_have_the_security_headers(
    browser: Browser, path: str, method: str
) -> None:
    """The response to a rejected method has the same security headers as others."""
    answer = browser.get(path, method=method)

    assert 400 <= answer.status < 500
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Request-ID"]


ACCEPTED = "gzip, deflate, br, zstd"


@pytest.mark.parametrize("path", ["/", "/search", "/logout/", "/nothing-here"])
def test_pages_come_compressed(bruce: Browser, path: str) -> None:
    """A browser that accepts gzip gets the same page in fewer bytes."""
    plain = bruce.get(path)

    page = bruce.get(path, Accept_Encoding=ACCEPTED)

    assert page.headers["Content-Encoding"] == "gzip"
    assert int(page.headers["Content-Length"]) < len(plain.text) / 2
    assert page.words.split("Request ID:")[0] == plain.words.split("Request ID:")[0]
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert page.headers["Vary"] == plain.headers["Vary"]


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "*;q=0", "br"])
def test_pages_are_not_compressed_for_clients_that_refuse(browser: Browser, accepted: str) -> None:
    """A client that does not accept gzip gets the page uncompressed."""
    page = browser.get("/search", Accept_Encoding=accepted)

    assert page.status == 200
    assert "Content-Encoding" not in page.headers


def test_length_of_a_compressed_page_reveals_little(browser: Browser) -> None:
    """The length of a page varies, so that guesses at its contents reveal less (BREACH)."""
    lengths = {
        browser.get("/search", Accept_Encoding="gzip").headers["Content-Length"] for _ in range(20)
    }

    assert len(lengths) > 5


def test_each_page_has_another_form_token(bruce: Browser) -> None:
    """The secret of the forms is masked differently in each page (BREACH), and each is accepted."""
    forms = [bruce.get("/search").form("/language/") for _ in range(10)]
    answers = [bruce.post("/language/", form.fields, follow=False) for form in forms]
    tokens = [form.fields["csrfmiddlewaretoken"] for form in forms]

    assert len({token[:32] for token in tokens}) == len({token[32:] for token in tokens}) == 10
    assert [answer.status for answer in answers] == [302] * 10


def test_static_files_come_compressed(browser: Browser) -> None:
    """A gzipped static file is smaller, has the same content, and is cached as long."""
    addresses = re.findall(r'"(/static/[^"]+)"', browser.get("/login/").text)

    for address in addresses:
        plain = browser.get(address)
        compressed = browser.get(address, Accept_Encoding=ACCEPTED)
        assert compressed.headers["Content-Encoding"] == "gzip"
        assert int(compressed.headers["Content-Length"]) < len(plain.text)
        assert compressed.text == plain.text
        assert compressed.headers["Cache-Control"] == plain.headers["Cache-Control"]
        assert compressed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"


def test_static_file_is_not_sent_again(browser: Browser) -> None:
    """Revalidating an unchanged file gets 304."""
    (address, *_) = re.findall(r'"(/static/[^"]+)"', browser.get("/login/").text)
    first = browser.get(address)

    second = browser.get(address, If_None_Match=first.headers["ETag"])

    assert (second.status, second.text) == (304, "")
    assert "immutable" in second.headers["Cache-Control"]


def test_robots_are_told_where_to_go(browser: Browser) -> None:
    """Search engines may read the public list, but not search or try the forms."""
    answer = browser.get("/robots.txt")

    rules = RobotFileParser()
    rules.parse(answer.text.splitlines())
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    for path in ("/search", "/search?max_id=17", "/static/site.css"):
        assert rules.can_fetch("Anybot", path), path
    for path in ("/", "/thoughts/", "/login/", "/logout/", "/language/", "/search?search=rain"):
        assert not rules.can_fetch("Anybot", path), path


def test_icon_is_where_browsers_look_for_it(browser: Browser) -> None:
    """A response that is no page names no icon, so browsers request this one."""
    answer = browser.get("/favicon.ico")

    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert answer.text.startswith("<svg")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_final_slash_makes_no_difference_to_health(
    browser: Browser, path: str, method: str
) -> None:
    """Health and metrics also work with a trailing slash, and are not logged then either."""
    expected = browser.get(path, method=method)

    with capture_logs() as lines:
        answer = browser.get(f"{path}/", method=method)

    assert answer.status == expected.status
    assert answer.headers["Content-Type"] == expected.headers["Content-Type"]
    assert answer.text == expected.text or path == "/metrics"
    assert lines == []


def test_address_of_a_backend_does_not_exist(browser: Browser) -> None:
    """Whoever takes the Frontend for the Users Backend gets 404."""
    assert browser.get("/.well-known/ended-sessions").status == 404


def test_readiness_ends_when_draining(browser: Browser, frontend: RunningFrontend) -> None:
    """A process that is about to stop is alive but not ready."""
    ready = browser.get("/readyz").status
    frontend.readiness.draining = True

    assert ready == 200
    assert browser.get("/readyz").status == 503
    assert browser.get("/healthz").status == 200


def test_health_does_not_ask_the_backends(browser: Browser, thoughts: FakeThoughtsBackend) -> None:
    """A Frontend without backends is alive and ready: its pages report what is not working."""
    thoughts.stop()

    assert browser.get("/healthz").status == 200
    assert browser.get("/readyz").status == 200
    assert thoughts.calls == []


def test_metrics_count_requests_by_route(bruce: Browser, thoughts: FakeThoughtsBackend) -> None:
    """Requests are counted by the template of their route, not by their address."""
    bruce.get(f"/thoughts/{thoughts.add('bruce', 'Rain')}/delete/")

    metrics = bruce.get("/metrics").text

    assert 'route="/thoughts/<int:thought_id>/delete"' in metrics


def test_each_request_is_one_log_line(browser: Browser) -> None:
    """A request is logged once, with its route and status, and without its query."""
    with capture_logs() as lines:
        browser.get("/search?search=secret")

    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["method"], line["route"], line["path"]) == ("GET", "/search", "/search")
    assert line["status"] == 200
    assert "secret" not in str(lines)


def test_health_is_not_logged(browser: Browser) -> None:
    """Health checks do not fill the log."""
    with capture_logs() as lines:
        browser.get("/healthz")
        browser.get("/readyz")
        browser.get("/metrics")

    assert lines == []


def test_large_body_is_refused(browser: Browser) -> None:
    """A body of 10 MB is not read."""
    page = browser.post("/login/", {"username": "a" * 10_000_000})

    assert page.status == 413


def test_header_of_8_kilobytes_is_accepted(browser: Browser) -> None:
    """Large headers, such as other cookies of the same site, do not cause errors."""
    page = browser.get("/search", Cookie=f"other={'x' * 8000}")

    assert page.status == 200


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"text": "x"}'),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("multipart/form-data", b"no boundary"),
        ("application/x-www-form-urlencoded", b"text=%ff%00&" + b"a=1&" * 2000),
        ("application/x-www-form-urlencoded; charset=nonsense", b"text=x"),
    ],
)
def test_bodies_that_are_not_forms_cause_no_server_error(
    frontend: RunningFrontend, content_type: str, body: bytes
) -> None:
    """Whatever a client sends as a form, the response is a client error."""
    client = HttpClient(frontend.url)

    answer = client.post("/thoughts/new", body=body, headers={"Content-Type": content_type})

    assert 400 <= answer.status < 500


def test_clients_that_stall_hold_nobody_up(frontend: RunningFrontend, browser: Browser) -> None:
    """Forty clients that stop in the middle of their bodies do not delay others."""
    parts = urlsplit(frontend.url)
    stalled = [socket.create_connection((parts.hostname, parts.port)) for _ in range(40)]
    for client in stalled:
        client.sendall(b"POST /login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")

    page = browser.get("/search")

    assert page.status == 200
    for client in stalled:
        client.close()


def test_body_cut_off_in_the_middle_is_survived(
    frontend: RunningFrontend, browser: Browser
) -> None:
    """A client that disconnects in the middle of its body does not affect the server."""
    parts = urlsplit(frontend.url)
    with socket.create_connection((parts.hostname, parts.port)) as client:
        client.sendall(b"POST /login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")

    assert browser.get("/search").status == 200


def test_offer_of_another_protocol_is_ignored(frontend: RunningFrontend) -> None:
    """The body of a form remains a body, and the next request of the connection is answered."""
    body = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST /login/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    last = b"GET /search HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with HttpClient(frontend.url).connection() as connection:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body + last)
        received = read_answer(connection)

    assert re.findall(rb"HTTP/1.1 (\d+) ", received) == [b"403", b"200"]


def test_chunked_form_is_read(frontend: RunningFrontend, browser: Browser) -> None:
    """A form sent in chunks is read like any other."""
    form = browser.get("/login/").form("/login/")
    body = "&".join(f"{name}={value}" for name, value in form.fields.items()).encode()
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies}

    answer = HttpClient(frontend.url).post(
        "/login/", body=iter([body[:20], body[20:]]), headers=headers
    )

    assert "Invalid login/password" in answer.text


def test_strange_host_header_causes_no_server_error(browser: Browser) -> None:
    """An invalid Host header does not break the page."""
    page = browser.get("/search", Host='x"><script>')

    assert page.status < 500
    assert "<script>" not in page.text.replace("<script src=", "")
