"""The services behind https to each other: every call is encrypted, and the callee verified."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local.stack import Stack, temporary_stack
from testkit.browser import Browser
from testkit.certificates import Authority
from testkit.service_process import MakeProcess, ServiceProcess, service_maker
from testkit.system import System, User, system_of
from testkit.tls_proxies import TlsProxy
from testkit.waiting import wait_until

pytestmark = pytest.mark.security

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A system whose backends are reached through proxies that speak TLS."""
    with temporary_stack() as stack:
        yield stack


@pytest.fixture(scope="module")
def system(stack: Stack) -> System:
    """The same, for clients without TLS."""
    return system_of(stack)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The authority of the proxies' certificates."""
    return Authority(tmp_path / "ca.pem")


@pytest.fixture
def users_proxy(stack: Stack, authority: Authority) -> Iterator[TlsProxy]:
    """TLS in front of the Users Backend."""
    yield from proxy_of(stack, "users", authority)


@pytest.fixture
def thoughts_proxy(stack: Stack, authority: Authority) -> Iterator[TlsProxy]:
    """TLS in front of the Thoughts Backend."""
    yield from proxy_of(stack, "thoughts", authority)


def proxy_of(stack: Stack, service: str, authority: Authority) -> Iterator[TlsProxy]:
    """TLS in front of a service."""
    port = urlsplit(stack.urls[service]).port
    assert port is not None
    proxy = TlsProxy(port, authority.server_context(HOST))
    yield proxy
    proxy.stop()


@pytest.fixture
def make_thoughts_backend(
    stack: Stack, users_proxy: TlsProxy, tmp_path: Path
) -> Iterator[MakeProcess]:
    """Creates another Thoughts Backend, which calls the Users Backend by https."""
    settings = {
        "DATABASE_URL": stack.database_urls["thoughts"],
        "TOKEN_PUBLIC_KEYS_PATH": str(stack.folder.public_keys),
        "USERS_BACKEND_URL": f"https://{HOST}:{users_proxy.port}",
    }
    with service_maker("thoughts_backend", settings, tmp_path) as make:
        yield make


@pytest.fixture
def frontend(
    stack: Stack,
    users_proxy: TlsProxy,
    thoughts_proxy: TlsProxy,
    authority: Authority,
    tmp_path: Path,
) -> Iterator[ServiceProcess]:
    """Another Frontend, which calls both backends by https."""
    settings = {
        "TOKEN_PUBLIC_KEYS_PATH": str(stack.folder.public_keys),
        "USERS_BACKEND_URL": f"https://{HOST}:{users_proxy.port}",
        "THOUGHTS_BACKEND_URL": f"https://{HOST}:{thoughts_proxy.port}",
        "BACKEND_CA_PATH": str(authority.path),
        "BACKEND_CONNECT_SECONDS": "30",
    }
    with service_maker("frontend", settings, tmp_path) as make:
        frontend = make()
        frontend.start()
        yield frontend


def test_pages_work_over_https(
    frontend: ServiceProcess, system: System, thoughts_proxy: TlsProxy
) -> None:
    """Logging in, sharing and searching work, and a logout elsewhere is noticed."""
    browser = Browser(frontend.http.base_url)
    browser.log_in("bruce")
    form = browser.get("/").form("/thoughts/new")

    browser.send(form, text="Encrypted on the way")
    found = browser.get("/search?search=encrypted")
    token = system.log_in("bruce", "bruce")
    system.users().request("DELETE", "/api/me/sessions/", token=token)

    assert "Encrypted on the way" in found.words
    assert thoughts_proxy.encrypted_connections > 0
    wait_until(lambda: browser.get("/", follow=False).status == 302)


def test_thoughts_backend_fetches_ended_sessions_over_https(
    make_thoughts_backend: MakeProcess, authority: Authority, system: System
) -> None:
    """Whose session ends is refused, so the list has come."""
    backend = make_thoughts_backend(BACKEND_CA_PATH=str(authority.path))
    backend.start()
    user = system.new_user()
    before = own_thoughts(backend, user)

    system.users(user).post("/api/logout/")

    wait_until(lambda: own_thoughts(backend, user) == 401)
    assert before == 200
    assert not backend.lines("ended sessions unknown")


def test_list_of_a_strangers_server_is_not_fetched(
    make_thoughts_backend: MakeProcess, tmp_path: Path, users_proxy: TlsProxy, system: System
) -> None:
    """With another authority no list comes: the log says why, and admins must wait."""
    stranger = Authority(tmp_path / "other.pem")
    backend = make_thoughts_backend(BACKEND_CA_PATH=str(stranger.path))
    backend.start()

    line = backend.wait_for_line("ended sessions unknown")
    by_admin = backend.http.request("DELETE", "/admin/thoughts/0", token=system.admin.token)

    assert "unable to get local issuer certificate" in line["reason"]
    assert by_admin.status == 503
    assert users_proxy.encrypted_connections == 0


def own_thoughts(backend: ServiceProcess, user: User) -> int:
    """The status of a request for the user's own thoughts."""
    return backend.http.get("/api/me/thoughts/", token=user.token).status
