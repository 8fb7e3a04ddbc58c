"""The cluster whose pods these tests kill, roll out and scale.

Besides the variables of `tests/conftest.py` they need the address of the Ingresses:

    MYTHOUGHTS_INGRESS_URL   http://host:port of the ingress controller
"""

import os
from collections.abc import Iterator

import pytest

from testkit.kubernetes import Cluster
from testkit.system import System, User


@pytest.fixture
def cluster(running_system: System | None) -> Iterator[Cluster]:
    """The cluster, with every service and database running; restored after each test."""
    if running_system is None:
        raise pytest.UsageError("These tests need a cluster: make test-cluster")
    cluster = Cluster(os.environ["MYTHOUGHTS_CONTEXT"], running_system)
    cluster.restore()
    yield cluster
    cluster.restore()


@pytest.fixture(params=["ports", "ingress"])
def entrance(request: pytest.FixtureRequest, running_system: System) -> System:
    """The system as clients see it: through the Services' node ports, or the Ingresses."""
    if request.param == "ports":
        return running_system
    return System(
        frontend_url=os.environ["MYTHOUGHTS_INGRESS_URL"],
        thoughts_url=os.environ["MYTHOUGHTS_INGRESS_URL"],
        users_url=os.environ["MYTHOUGHTS_INGRESS_URL"],
        admin_password=running_system.admin_password,
        hosts={
            service: f"{service}.example.local" for service in ("thoughts", "users", "frontend")
        },
    )


@pytest.fixture
def writer(cluster: Cluster) -> User:
    """A new user, logged in."""
    return cluster.system.new_user()
