"""The process: starting, refusing to start, and stopping."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from testkit.browser import Browser
from testkit.fake_backend import FakeThoughtsBackend, FakeUsersBackend
from testkit.http_client import HttpClient
from testkit.waiting import wait_until

Start = Callable[..., "Process"]


class Process:
    """`python -m frontend` in a separate process."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "frontend"],
            env={"PATH": os.environ["PATH"], **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def url(self) -> str:
        """Wait until it listens; return its address."""
        assert self.popen.stdout is not None
        line = json.loads(self.popen.stdout.readline())
        assert line["event"] == "serving"
        return f"http://127.0.0.1:{line['port']}"

    def wait(self) -> tuple[int, str]:
        """Wait for its end; return exit status and standard error."""
        _, errors = self.popen.communicate(timeout=30)
        return self.popen.returncode, errors


@pytest.fixture
def start(
    thoughts: FakeThoughtsBackend, users: FakeUsersBackend, public_keys_path: Path
) -> Iterator[Start]:
    """Starts Frontends with valid settings, plus those given; stops them after the test."""
    running: list[Process] = []

    def start_one(**changed: str) -> Process:
        good = {
            "PORT": "0",
            "TOKEN_PUBLIC_KEYS_PATH": str(public_keys_path),
            "THOUGHTS_BACKEND_URL": thoughts.url,
            "USERS_BACKEND_URL": users.url,
            "BACKEND_ANSWER_SECONDS": "30",
        }
        running.append(Process(good | changed))
        return running[-1]

    yield start_one
    for process in running:
        process.popen.kill()
        process.popen.communicate()


def test_every_missing_setting_is_named() -> None:
    """Without its settings the service exits with status 2 and one message that names them all."""
    process = Process({})

    status, errors = process.wait()

    assert status == 2
    for name in ("TOKEN_PUBLIC_KEYS_PATH", "THOUGHTS_BACKEND_URL", "USERS_BACKEND_URL"):
        assert name in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "content", [None, "", "{", '{"keys": []}'], ids=["missing", "empty", "malformed", "none"]
)
def test_missing_keys_are_told_at_start(start: Start, tmp_path: Path, content: str | None) -> None:
    """Without readable public keys the service says so in one line and exits with status 2."""
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content)

    status, errors = start(TOKEN_PUBLIC_KEYS_PATH=str(path)).wait()

    assert status == 2
    assert [str(path) in line for line in errors.splitlines()] == [True]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_service_in_order(start: Start, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end the service with status 0."""
    process = start()
    process.url()

    process.popen.send_signal(number)

    assert process.wait()[0] == 0


def test_request_in_flight_is_answered_before_the_end(
    start: Start, thoughts: FakeThoughtsBackend
) -> None:
    """A request in progress at SIGTERM gets its response."""
    thoughts.add("bruce", "Rain")
    process = start()
    browser = Browser(process.url())

    def answer_after_release() -> None:
        assert thoughts.called.wait(20)
        process.popen.terminate()
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
    assert process.wait()[0] == 0


def test_service_is_unready_but_serving_while_it_drains(start: Start) -> None:
    """After SIGTERM the service reports that it is not ready, but keeps serving for a while."""
    process = start(DRAIN_SECONDS="60")
    browser = Browser(process.url())
    before = browser.get("/readyz").status

    process.popen.terminate()
    wait_until(lambda: browser.get("/readyz").status != 200)
    page = browser.get("/login/")

    assert before == 200
    assert page.status == 200


def test_connections_end_with_their_next_answer_while_draining(start: Start) -> None:
    """A kept connection gets one more response after SIGTERM, which closes it."""
    process = start(DRAIN_SECONDS="60")
    client = HttpClient(process.url(), keeps_connections=True)
    before = client.get("/login/")

    process.popen.terminate()
    wait_until(lambda: client.get("/readyz").status != 200)
    kept = client.get("/login/")

    assert "Connection" not in before.headers
    assert (kept.status, kept.headers["Connection"]) == (200, "close")


def test_behind_tls_cookies_are_secure(start: Start) -> None:
    """Behind TLS every cookie is Secure, and browsers are told to keep using https."""
    process = start(BEHIND_TLS="true")
    browser = Browser(process.url())

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
    }
    assert all("; Path=/" in cookie and "Domain" not in cookie for cookie in cookies)
    assert all("Secure" in cookie for cookie in cookies)
    assert "max-age" in answer.headers["Strict-Transport-Security"]


@pytest.fixture
def strict(start: Start) -> Browser:
    """A browser of a Frontend that accepts only some host names."""
    return Browser(start(ALLOWED_HOSTS="mythoughts.example, .example.org").url())


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
    assert "This is not our address" in page.words
    assert "Content-Security-Policy" in page.headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_is_answered_under_any_name(strict: Browser, path: str) -> None:
    """Health checks use the address of a pod, not the name of the site."""
    assert strict.get(path, Host="10.0.0.1:8000").status == 200


def test_any_host_is_served_by_default(start: Start) -> None:
    """Without the setting pages are served under any name."""
    browser = Browser(start().url())

    page = browser.get("/login/", Host="frontend_1:8002")

    assert page.status == 200
