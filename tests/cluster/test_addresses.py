"""Behind the Ingress the address of a client is the browser's, not that of a proxy."""

from collections.abc import Iterator

import pytest

from testkit.browser import Browser
from testkit.http_client import HttpClient
from testkit.kubernetes import Cluster
from testkit.system import unique

FORGED = "203.0.113.9"
# A client of the forwarded port has this address for the ingress controller.
SEEN = "127.0.0.1"


@pytest.fixture
def ingress(cluster: Cluster) -> Iterator[str]:
    """The ingress controller's address, through a port of this machine."""
    with cluster.forwarded("deployment/traefik", 8000, namespace="ingress") as url:
        yield url


def address_of(cluster: Cluster, name: str) -> str:
    """Where the failed login with this name came from."""
    statement = f"SELECT address FROM audit WHERE actor = '{name}'"  # noqa: S608 (a name of ours)
    return cluster.psql("users", "users", statement)


def test_api_sees_the_address_of_its_client(cluster: Cluster, ingress: str) -> None:
    """What the client claims in X-Forwarded-For is not believed."""
    name = unique("api")
    headers = {"Host": "users.example.local", "X-Forwarded-For": FORGED}

    answer = HttpClient(ingress).post(
        "/api/login/", json={"username": name, "password": "wrong"}, headers=headers
    )

    assert answer.status == 401
    assert address_of(cluster, name) == SEEN


def test_page_passes_on_the_address_of_its_browser(cluster: Cluster, ingress: str) -> None:
    """A login in the browser is counted for the browser, across the Ingress and the Frontend."""
    name = unique("page")
    browser = Browser(ingress)
    host = "frontend.example.local"
    form = browser.get("/login/", Host=host).form("/login/")

    page = browser.post(
        "/login/",
        {**form.fields, "username": name, "password": "wrong"},
        Host=host,
        X_Forwarded_For=FORGED,
    )

    assert "Invalid login/password" in page.words
    assert address_of(cluster, name) == SEEN
