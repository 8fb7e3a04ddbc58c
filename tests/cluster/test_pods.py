"""What clients notice while pods are killed, rolled out and scaled: nothing that was promised."""

import pytest

from tests.cluster.load import load
from tests.installations import SERVICES
from tests.kubernetes import Cluster
from tests.system import System, User
from tests.thoughts import own_texts
from tests.waiting import wait_until

every_service = pytest.mark.parametrize("service", SERVICES)


@every_service
def test_rollout_under_load_fails_no_request(
    cluster: Cluster, entrance: System, writer: User, service: str
) -> None:
    """While every pod of a service is replaced, each request is answered as always."""
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
    """While a service gets two more pods and loses them again, each request is answered."""
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
    """One of two pods is killed: requests go on at the other, and what was confirmed is there."""
    cluster.scale(service, 2)

    with load(entrance, writer) as requests:
        cluster.kill(service, pods=1)
        requests.wait_for_more()
        cluster.wait_for_rollout(service)
        requests.wait_for_more()

    print(f"{requests.successes} requests answered, {requests.failures} not, one {service} killed")
    assert set(requests.confirmed) <= set(own_texts(cluster.system.thoughts(writer)))
    cluster.scale(service, 1)


def test_restarted_database_loses_no_confirmed_thought(
    cluster: Cluster, entrance: System, writer: User
) -> None:
    """What was answered with 201 before both databases were restarted is there after it."""
    lives = {service: cluster.lives_of(service) for service in SERVICES}

    with load(entrance, writer) as requests:
        cluster.stop_database()
        cluster.start_database()
        wait_until(lambda: cluster.is_ready("thoughts"), what="the Thoughts Backend is ready")
        requests.wait_for_more()

    assert set(requests.confirmed) <= set(own_texts(cluster.system.thoughts(writer)))
    assert {service: cluster.lives_of(service) for service in SERVICES} == lives
