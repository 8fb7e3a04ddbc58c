"""Which connections are dropped, and when."""

import math
import resource
from collections.abc import Iterable
from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs

from mythoughts_chassis import connections as module
from mythoughts_chassis.connections import Connections

PROXIES = [ip_network("10.0.0.0/8")]


class FakeConnection:
    """A connection that records whether it was dropped."""

    def __init__(
        self,
        address: str,
        since: float = 0.0,
        *,
        is_waiting: bool = True,
        ends_at: float = math.inf,
    ) -> None:
        self.address, self.since, self.ends_at = address, since, ends_at
        self.is_waiting = is_waiting
        self.is_dropped = False

    def drop(self) -> None:
        """Note it."""
        self.is_dropped = True


def opened(
    members: Iterable[FakeConnection], limit: int = 10, network_limit: int = 3
) -> Connections:
    """Return a registry to which these connections have been added one by one."""
    connections = Connections(trusted=PROXIES, limit=limit, network_limit=network_limit)
    for member in members:
        connections.add(member)
    return connections


def dropped(members: Iterable[FakeConnection]) -> list[float]:
    """Return since when those have waited that were dropped."""
    return [member.since for member in members if member.is_dropped]


def test_one_too_many_of_a_network_displaces_its_longest_waiting() -> None:
    """At the limit of a network, its connection goes that has waited longest."""
    members = [FakeConnection("192.0.2.1", since) for since in (5, 2, 3, 9)]

    opened(members)

    assert dropped(members) == [2]


def test_connection_that_is_being_answered_stays() -> None:
    """A connection with a request in progress is not dropped, however old it is."""
    busy = [FakeConnection("192.0.2.1", since, is_waiting=False) for since in (1, 2)]
    waiting = [FakeConnection("192.0.2.1", since) for since in (3, 4)]

    opened(busy + waiting)

    assert dropped(busy + waiting) == [3]


def test_newcomer_is_refused_where_all_others_are_being_answered() -> None:
    """If every connection of a network has a request in progress, no further one is taken."""
    busy = [FakeConnection("192.0.2.1", since, is_waiting=False) for since in (1, 2, 3)]
    newcomer = FakeConnection("192.0.2.1", 4)

    opened([*busy, newcomer])

    assert dropped([*busy, newcomer]) == [4]


def test_addresses_of_one_customer_count_together() -> None:
    """IPv6 addresses of one network of 64 bits share a limit, those of two do not."""
    one = [FakeConnection(f"2001:db8::{n}", n) for n in range(1, 5)]
    other = [FakeConnection(f"2001:db8:0:1::{n}", n) for n in range(1, 4)]

    opened(one + other)

    assert dropped(one) == [1]
    assert dropped(other) == []


def test_proxy_has_only_the_limit_of_all() -> None:
    """A trusted proxy, which brings many clients, may have more connections than a client."""
    members = [FakeConnection("10.1.2.3", since) for since in range(12)]

    opened(members)

    assert dropped(members) == [0, 1]


def test_full_server_displaces_those_of_the_largest_network() -> None:
    """At the limit of all, the network with most connections loses its longest waiting."""
    small = [FakeConnection("192.0.2.1", 1), FakeConnection("192.0.2.2", 2)]
    large = [FakeConnection("192.0.2.3", since) for since in (7, 8)]
    newcomer = FakeConnection("192.0.2.4", 9)

    opened([*small, *large, newcomer], limit=4)

    assert dropped(small) == []
    assert dropped(large) == [7]
    assert not newcomer.is_dropped


def test_full_server_displaces_strangers_before_proxies() -> None:
    """At the limit of all, connections of a trusted proxy go last."""
    proxy = [FakeConnection("10.1.2.3", since) for since in (1, 2, 3)]
    stranger = FakeConnection("192.0.2.1", 4)
    newcomer = FakeConnection("10.1.2.3", 5)

    opened([*proxy, stranger, newcomer], limit=4)

    assert dropped([*proxy, newcomer]) == []
    assert stranger.is_dropped


def test_closed_connection_does_not_count() -> None:
    """A connection that has closed makes room."""
    members = [FakeConnection("192.0.2.1", since) for since in (1, 2, 3)]
    connections = opened(members)

    connections.remove(members[2])
    connections.remove(members[2])
    newcomer = FakeConnection("192.0.2.1", 4)
    connections.add(newcomer)

    assert dropped([*members, newcomer]) == []


def test_overdue_connection_is_dropped() -> None:
    """A connection is dropped once the time of its phase is up, even with a request in progress."""
    late = FakeConnection("192.0.2.1", ends_at=0.0, is_waiting=False)
    other = FakeConnection("192.0.2.1")

    opened([late, other]).check()

    assert late.is_dropped
    assert not other.is_dropped


def test_displacing_is_logged_once_in_a_while() -> None:
    """A flood is reported in one line that counts, not in one line for each connection."""
    connections = opened(FakeConnection("192.0.2.1", since) for since in range(5))

    with capture_logs() as log:
        connections.check()
        connections.add(FakeConnection("192.0.2.1", 6))
        connections.check()

    assert [(line["event"], line["closed"], line["open"]) for line in log] == [
        ("too many connections", 2, 3)
    ]


def test_missing_descriptors_cost_the_longest_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the process can open no file, the log says why and one connection makes room."""
    members = [FakeConnection("192.0.2.1", since) for since in (1, 2)]
    connections = opened(members)
    monkeypatch.setattr(module, "_descriptor_fault", lambda: "Too many open files")

    with capture_logs() as log:
        connections.check()

    assert dropped(members) == [1]
    assert log[0]["reason"] == "Too many open files"


def test_at_most_half_of_the_descriptors_are_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit leaves descriptors for files and the database, and raises only the soft limit."""
    set_to: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 1500))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: set_to.append(limits))

    limit = module.max_connections()

    assert limit == 750
    assert set_to == [(1500, 1500)]
