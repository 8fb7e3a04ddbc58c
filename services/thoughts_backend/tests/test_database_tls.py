"""A database with TLS: `sslmode=verify-full` verifies it, for the service and for migrations."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import run
from urllib.parse import urlsplit

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.certificates import Authority
from testkit.roles import service_url
from testkit.tls_proxies import TlsPostgres
from testkit.waiting import wait_until

pytestmark = pytest.mark.security

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that the backend trusts."""
    return Authority(tmp_path_factory.mktemp("tls") / "ca.pem")


@pytest.fixture(scope="module")
def owner_url(new_database: Callable[[], str]) -> str:
    """The address of an empty database, for its owner, without TLS."""
    return new_database()


@contextmanager
def encrypted(owner_url: str, authority: Authority, name: str) -> Iterator[TlsPostgres]:
    """The server with TLS, which calls itself `name`."""
    port = urlsplit(owner_url).port
    assert port is not None
    proxy = TlsPostgres(port, authority.server_context(name))
    yield proxy
    proxy.stop()


def environment(
    owner_url: str, proxy: TlsPostgres, ca_path: Path, *, by_variables: bool
) -> dict[str, str]:
    """The settings of a backend that verifies the server, by its address or by variables."""
    port = urlsplit(owner_url).port
    url = owner_url.replace(f":{port}/", f":{proxy.port}/")
    parameters = f"?sslmode=verify-full&sslrootcert={ca_path}"
    variables = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(ca_path)}
    if by_variables:
        return {
            "DATABASE_URL": service_url(url),
            "MIGRATIONS_DATABASE_URL": url,
            **variables,
        }
    return {
        "DATABASE_URL": service_url(url) + parameters,
        "MIGRATIONS_DATABASE_URL": url + parameters,
    }


@pytest.mark.parametrize("by_variables", [False, True])
def test_verified_server_is_used_with_tls(
    owner_url: str, authority: Authority, make_backend: MakeBackend, *, by_variables: bool
) -> None:
    """With the right authority the migrations and the service work, over TLS."""
    with encrypted(owner_url, authority, HOST) as proxy:
        settings = environment(owner_url, proxy, authority.path, by_variables=by_variables)
        migration = run(
            [sys.executable, "-m", "thoughts_backend", "migrate"],
            env={"PATH": os.defpath, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        by_migration = proxy.encrypted_connections
        del settings["MIGRATIONS_DATABASE_URL"]
        backend = make_backend(**settings)
        backend.start()
        answer = backend.http.get("/api/thoughts/")

    assert migration.returncode == 0, migration.stdout + migration.stderr
    assert answer.status == 200
    assert 0 < by_migration < proxy.encrypted_connections


@pytest.mark.parametrize("by_variables", [False, True])
@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_unverified_server_is_not_used(
    owner_url: str,
    authority: Authority,
    make_backend: MakeBackend,
    tmp_path: Path,
    wrong: str,
    *,
    by_variables: bool,
) -> None:
    """A server of another authority, or of another name, gets no password; the log says which."""
    trusted = Authority(tmp_path / "other.pem") if wrong == "authority" else authority
    name = "database.example" if wrong == "name" else HOST
    faults = {"authority": "unable to get local issuer certificate", "name": "IP address mismatch"}
    statuses = []
    with encrypted(owner_url, authority, name) as proxy:
        settings = environment(owner_url, proxy, trusted.path, by_variables=by_variables)
        del settings["MIGRATIONS_DATABASE_URL"]
        backend = make_backend(**settings)
        backend.start()

        def is_explained() -> bool:
            # Again if it took too long to notice.
            statuses.append(backend.http.get("/readyz").status)
            reasons = [line["reason"] for line in backend.lines("database unavailable")]
            return any(faults[wrong] in reason for reason in reasons)

        wait_until(is_explained)

    assert set(statuses) == {503}
    assert proxy.encrypted_connections == 0
