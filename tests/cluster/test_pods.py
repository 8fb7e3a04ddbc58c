"""Clients lose nothing that was confirmed while pods are killed, rolled out and scaled."""

import pytest

from testkit.installations import SERVICES
from testkit.kubernetes import Cluster
from testkit.load import load
from testkit.system import System, User
from testkit.thoughts import own_texts
from testkit.waiting import wait_until

every_service = pytest.mark.parametrize("service", SERVICES)


@every_service
def test_rollout_under_load_fails_no_request(
    cluster: Cluster, entrance: System, writer: User, service: str
) -> None:
    """While every pod of a service is replaced, no request fails."""
    with load(entrance, writer) as requests:
        cluster.restart(service)
        requests.wait_for_more()

    print(f"{requests.successes} requests answered during a rollout of {service}")
    assert not requests.failures
    assert set(requests.confirmed) <= set(own_texts(cluster.system.thoughts(writer)))


@every_service
def test_scaling_to_three_and_back_fails_no_request(
    cluster: Cluster, entrance: System, writer: User, service: str
) -> None:
    """While a service gets two more pods and loses them again, no request fails."""
    with load(entrance, writer) as requests:
        cluster.scale(service, 3)
        requests.wait_for_more()
        cluster.scale(service, 1)
        requests.wait_for_more()

    print(f"{requests.successes} requests answered while {service} was scaled")
    assert not requests.failures


@every_service
def test_killed_pod_loses_no_confirmed_thought(
    cluster: Cluster, entrance: System, writer: User, service: str
) -> None:
    """When one of two pods is killed, the other serves, and no confirmed thought is lost."""
    cluster.scale(service, 2)

    with load(entrance, writer) as requests:
        cluster.kill(service, pods=1)
        requests.wait_for_more()
        cluster.wait_for_rollout(service)
        requests.wait_for_more()

    print(f"{requests.successes} requests answered, {requests.failures} not, one {service} killed")
    assert set(requests.confirmed) <= set(own_texts(cluster.system.thoughts(writer)))


def test_restarted_database_loses_no_confirmed_thought(
    cluster: Cluster, entrance: System, writer: User
) -> None:
    """Thoughts answered with 201 before both databases are restarted exist afterwards."""
    lives = {service: cluster.lives_of(service) for service in SERVICES}

    with load(entrance, writer) as requests:
        cluster.stop_database()
        cluster.start_database()
        wait_until(lambda: cluster.is_ready("thoughts"), what="the Thoughts Backend is ready")
        requests.wait_for_more()

    assert set(requests.confirmed) <= set(own_texts(cluster.system.thoughts(writer)))
    assert {service: cluster.lives_of(service) for service in SERVICES} == lives
