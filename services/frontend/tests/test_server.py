"""The process: starting, refusing to start, and stopping."""

import shutil
import signal
import socket
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import psutil
import pytest
from prometheus_client import REGISTRY

from frontend.settings import Settings
from services.frontend.tests.conftest import RunningFrontend, process_environment
from services.frontend.tests.test_renewal import token_of_age
from testkit.browser import Browser
from testkit.fake_backend import FakeThoughtsBackend, FakeUsersBackend
from testkit.http_client import HttpClient, read_answer
from testkit.service_process import MakeProcess, ServiceProcess, service_maker
from testkit.token_maker import TokenMaker
from testkit.waiting import WAIT_SECONDS, wait_until
from tooling.project import FRONTEND

SIGNALLED_WHILE_DRAINING = """

import signal

def _drain(self, drain=Server.drain, sent=[]):
    drain(self)
    if not sent:
        sent.append(True)
        signal.raise_signal(signal.SIGTERM)

Server.drain = _drain
"""


def test_every_missing_setting_is_named(tmp_path: Path) -> None:
    """Without its settings the service exits with status 2 and one message that names them all."""
    process = ServiceProcess("frontend", {}, folder=tmp_path)

    status = process.run_to_end()

    errors = "\n".join(process.output)
    assert status == 2
    for name in ("TOKEN_PUBLIC_KEYS_PATH", "THOUGHTS_BACKEND_URL", "USERS_BACKEND_URL"):
        assert name in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "content", [None, "", "{", '{"keys": []}'], ids=["missing", "empty", "malformed", "none"]
)
def test_missing_keys_are_reported_at_start(
    make_process: MakeProcess, tmp_path: Path, content: str | None
) -> None:
    """Without readable public keys the service says so in one line and exits with status 2."""
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content)

    process = make_process(TOKEN_PUBLIC_KEYS_PATH=str(path))
    status = process.run_to_end()

    assert status == 2
    assert [str(path) in line for line in process.output] == [True]


def test_port_that_is_taken_is_named(make_process: MakeProcess) -> None:
    """If another process has the port, the service says so in one line, with exit status 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = make_process(PORT=str(taken.getsockname()[1]))
        status = process.run_to_end()

    assert status == 2
    assert "cannot listen on port" in process.output[-1]
    assert "Traceback" not in "".join(process.output)


def test_supervisor_that_is_gone_is_named(make_process: MakeProcess, tmp_path: Path) -> None:
    """A start that fails for another reason is not blamed on the port."""
    process = make_process(NOTIFY_SOCKET=str(tmp_path / "gone"))
    status = process.run_to_end()

    assert status == 2
    assert "cannot listen" not in process.output[-1]
    assert "No such file" in process.output[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_service_in_order(
    make_process: MakeProcess, number: signal.Signals
) -> None:
    """SIGTERM and SIGINT end the service with status 0."""
    frontend = make_process()
    frontend.start()

    frontend.process.signal(number)

    assert frontend.process.wait(timeout_seconds=30) == 0


def test_request_in_flight_is_answered_before_the_end(
    make_process: MakeProcess, thoughts: FakeThoughtsBackend
) -> None:
    """A request in progress at SIGTERM gets its response."""
    thoughts.add("bruce", "Rain")
    frontend = make_process()
    frontend.start()
    browser = Browser(frontend.http.base_url)

    def answer_after_release() -> None:
        assert thoughts.called.wait(20)
        frontend.process.signal(signal.SIGTERM)
        thoughts.released.set()

    def hold(handler: object, call: object) -> None:
        thoughts.released.wait(20)
        handler.reply(thoughts.answer(call))  # type: ignore[attr-defined,arg-type]

    thoughts.fault = hold
    with ThreadPoolExecutor(1) as pool:
        page = pool.submit(browser.get, "/search")
        answer_after_release()

    assert page.result().status == 200
    assert "Rain" in page.result().words
    assert frontend.process.wait(timeout_seconds=30) == 0


def test_slowest_page_is_answered_before_the_end(
    make_process: MakeProcess,
    users: FakeUsersBackend,
    thoughts: FakeThoughtsBackend,
    token_maker: TokenMaker,
) -> None:
    """At SIGTERM a text being shared waits for two stalled backends, and is then in its form."""
    users.stall()
    thoughts.stall()
    frontend = make_process(BACKEND_ANSWER_SECONDS="3")
    frontend.start()
    browser = Browser(frontend.http.base_url)
    form = browser.get("/login/").form("/login/")
    browser.cookies["mythoughts_session"] = token_of_age(token_maker, 0.5)
    fields = form.fields | {"text": "Rain"}
    with ThreadPoolExecutor(1) as pool:
        page = pool.submit(browser.post, "/thoughts/new", fields)
        assert users.called.wait(WAIT_SECONDS)

        frontend.process.signal(signal.SIGTERM)

        answer = page.result()
    assert thoughts.called.is_set()
    assert (answer.status, answer.form("/thoughts/new").fields["text"]) == (503, "Rain")
    assert frontend.process.wait(timeout_seconds=30) == 0


def test_idle_connection_closes_while_others_are_answered(
    make_process: MakeProcess, thoughts: FakeThoughtsBackend
) -> None:
    """At the end an idle connection closes at once: no request is sent to a process that ends."""
    thoughts.stall()
    frontend = make_process()
    frontend.start()
    with ThreadPoolExecutor(1) as pool, frontend.http.connection() as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        received = idle.recv(4096)
        page = pool.submit(frontend.http.get, "/search")
        assert thoughts.called.wait(WAIT_SECONDS)

        frontend.process.signal(signal.SIGTERM)
        received += read_answer(idle)

        is_answered = page.done()
        thoughts.released.set()
    assert received.startswith(b"HTTP/1.1 200 ")
    assert not is_answered


def test_request_that_arrives_slowly_is_answered_before_the_end(make_process: MakeProcess) -> None:
    """A request that has begun to arrive when the service stops gets its response."""
    frontend = make_process()
    frontend.start()
    with frontend.http.connection() as slow, frontend.http.connection() as idle:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        # The Frontend reads its connections in one loop: it has read the first one as well.
        idle.recv(4096)
        frontend.process.signal(signal.SIGTERM)
        read_answer(idle)
        slow.sendall(b"x\r\n\r\n")

        assert read_answer(slow).startswith(b"HTTP/1.1 200 ")


def test_connection_that_comes_with_the_signal_is_answered(make_process: MakeProcess) -> None:
    """A connection accepted just before the end brings its request."""
    frontend = make_process()
    frontend.start()
    # "serving" is logged before the Frontend waits for connections.
    frontend.http.get("/healthz")
    process = psutil.Process(frontend.process.pid)
    wait_until(lambda: process.status() == psutil.STATUS_SLEEPING)
    frontend.process.signal(signal.SIGSTOP)
    with frontend.http.connection() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        frontend.process.signal(signal.SIGINT)
        frontend.process.signal(signal.SIGCONT)

        assert read_answer(connection).startswith(b"HTTP/1.1 200 ")


def test_requests_that_wait_for_a_thread_are_answered_before_the_end(settings: Settings) -> None:
    """A stopping server also answers requests that have arrived but have no thread yet."""
    released = threading.Event()

    def hold(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        released.wait(WAIT_SECONDS)
        start("200 OK", [("Content-Length", "0")])
        return []

    frontend = RunningFrontend(replace(settings, threads=3, backend_connections=1), hold)
    with ThreadPoolExecutor(6) as threads:
        answers = [threads.submit(HttpClient(frontend.url).get, "/") for _ in range(5)]
        wait_until(lambda: REGISTRY.get_sample_value("frontend_requests_waiting") == 2)
        stopped = threads.submit(frontend.stop)
        wait_until(lambda: not frontend.is_listening)
        released.set()

        assert [answer.result().status for answer in answers] == [200] * 5
        stopped.result()


def test_service_is_unready_but_serving_while_it_drains(make_process: MakeProcess) -> None:
    """After SIGTERM the service reports that it is not ready, but keeps serving for a while."""
    frontend = make_process(DRAIN_SECONDS="60")
    frontend.start()
    browser = Browser(frontend.http.base_url)
    before = browser.get("/readyz").status

    frontend.process.signal(signal.SIGTERM)
    wait_until(lambda: browser.get("/readyz").status != 200)
    page = browser.get("/login/")

    assert before == 200
    assert page.status == 200


def test_second_signal_ends_the_draining(make_process: MakeProcess) -> None:
    """A second signal stops a draining service at once, and the status is still 0."""
    frontend = make_process(DRAIN_SECONDS="60")
    frontend.start()
    frontend.process.signal(signal.SIGTERM)
    wait_until(lambda: frontend.http.get("/readyz").status != 200)

    frontend.process.signal(signal.SIGTERM)

    assert frontend.process.wait(timeout_seconds=30) == 0


def test_second_signal_counts_while_the_first_is_handled(
    make_process: MakeProcess, tmp_path: Path
) -> None:
    """A second signal that arrives at once stops the service, too."""
    shutil.copytree(FRONTEND.folder / "src" / "frontend", tmp_path / "source" / "frontend")
    with (tmp_path / "source" / "frontend" / "serving" / "channels.py").open("a") as file:
        file.write(SIGNALLED_WHILE_DRAINING)
    frontend = make_process(DRAIN_SECONDS="60", PYTHONPATH=str(tmp_path / "source"))
    frontend.start()

    frontend.process.signal(signal.SIGTERM)

    assert frontend.process.wait(timeout_seconds=30) == 0


def test_connections_end_with_their_next_answer_while_draining(make_process: MakeProcess) -> None:
    """A kept connection gets one more response after SIGTERM, which closes it."""
    frontend = make_process(DRAIN_SECONDS="60")
    frontend.start()
    client = HttpClient(frontend.http.base_url, keeps_connections=True)
    before = client.get("/login/")

    frontend.process.signal(signal.SIGTERM)
    wait_until(lambda: client.get("/readyz").status != 200)
    kept = client.get("/login/")

    assert "Connection" not in before.headers
    assert (kept.status, kept.headers["Connection"]) == (200, "close")


def test_behind_tls_cookies_are_secure(make_process: MakeProcess) -> None:
    """Behind TLS every cookie is Secure, and browsers are told to keep using https."""
    frontend = make_process(BEHIND_TLS="true")
    frontend.start()
    browser = Browser(frontend.http.base_url)

    form = browser.get("/login/").form("/login/")
    origin = {"Origin": browser.base_url.replace("http:", "https:")}
    answer = browser.post(
        "/login/", form.fields | {"username": "bruce", "password": "bruce"}, follow=False, **origin
    )

    cookies = answer.headers.get_all("Set-Cookie", [])
    assert answer.status == 302
    assert {cookie.split("=")[0] for cookie in cookies} == {
        "__Host-mythoughts_session",
        "__Host-mythoughts_csrf",
        "__Host-mythoughts_device",
    }
    assert all("; Path=/" in cookie and "Domain" not in cookie for cookie in cookies)
    assert all("Secure" in cookie for cookie in cookies)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.security
def test_behind_tls_a_cookie_without_the_prefix_is_ignored(
    make_process: MakeProcess, token_maker: TokenMaker
) -> None:
    """Behind TLS only `__Host-` cookies count, which no other host can set; HSTS is a setting."""
    frontend = make_process(BEHIND_TLS="true", HSTS_SECONDS="60", HSTS_INCLUDE_SUBDOMAINS="true")
    frontend.start()
    browser = Browser(frontend.http.base_url)
    browser.cookies["mythoughts_session"] = token_maker.token("bruce")
    plain = browser.get("/", follow=False)
    browser.cookies["__Host-mythoughts_session"] = token_maker.token("bruce")

    prefixed = browser.get("/", follow=False)

    assert plain.headers["Location"] == "/login/"
    assert prefixed.status == 200
    assert prefixed.headers["Strict-Transport-Security"] == "max-age=60; includeSubDomains"


@pytest.fixture(scope="module")
def strict_frontend(
    token_maker: TokenMaker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """A Frontend that accepts only some host names."""
    thoughts, users = FakeThoughtsBackend(), FakeUsersBackend(token_maker)
    environment = process_environment(token_maker, thoughts, users)
    with service_maker("frontend", environment, tmp_path_factory.mktemp("strict")) as make:
        frontend = make(ALLOWED_HOSTS="mythoughts.example, .example.org")
        frontend.start()
        yield frontend
    thoughts.stop()
    users.stop()


@pytest.fixture
def strict(strict_frontend: ServiceProcess) -> Browser:
    """A browser of that Frontend."""
    return Browser(strict_frontend.http.base_url)


@pytest.mark.parametrize(
    "host", ["mythoughts.example", "MyThoughts.Example:8080", "example.org", "a.b.example.org"]
)
def test_allowed_host_is_served(strict: Browser, host: str) -> None:
    """Pages are served under the allowed names, whatever the port."""
    assert strict.get("/login/", Host=host).status == 200


@pytest.mark.parametrize("path", ["/login/", "/nothing-here"])
@pytest.mark.parametrize("host", ["127.0.0.1", "example.org.evil.example", "a@example.org", ""])
def test_other_host_is_refused(strict: Browser, host: str, path: str) -> None:
    """Under another name there is only a page that says so."""
    page = strict.get(path, Host=host)

    assert page.status == 400
    assert "Unknown address" in page.words
    assert "Content-Security-Policy" in page.headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_is_answered_under_any_name(strict: Browser, path: str) -> None:
    """Health checks use the address of a pod, not the name of the site."""
    assert strict.get(path, Host="10.0.0.1:8000").status == 200


def test_any_host_is_served_by_default(make_process: MakeProcess) -> None:
    """Without the setting pages are served under any name."""
    frontend = make_process()
    frontend.start()
    browser = Browser(frontend.http.base_url)

    page = browser.get("/login/", Host="frontend_1:8002")

    assert page.status == 200
