"""The limits of open connections; you can skip this module when you follow a request.

No connection lasts for ever, and no client can take all of them. Each phase of a connection has a
time limit: until the headers of a request have arrived (`HEADER_SECONDS`), until its body has
arrived and the response has been sent (`RESPONSE_SECONDS`), and between two requests
(`KEEP_ALIVE_SECONDS`). Bytes that the client sends do not extend a phase.

A server holds at most `MAX_CONNECTIONS`, and at most `MAX_OF_A_NETWORK` from one client network. If
one more is opened, the connection that has waited longest for its client is closed: one of the same
network or, if the server is full, of the network with the most connections. So a flood displaces
its own connections first, and those of others only once none of its own is waiting.
"""

import os
import resource
import time
from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

import structlog
from prometheus_client import Counter, Gauge

from mythoughts_chassis.clients import Network, is_in, network_of

HEADER_SECONDS = 10.0
RESPONSE_SECONDS = 30.0
# How long requests in progress may take when a service stops. Longer than any page or API call; an
# export, or a client that stalls, is cut off.
FINISH_SECONDS = 15
# Longer than load balancers keep idle connections, so that they close them first.
KEEP_ALIVE_SECONDS = 75
# After a request is refused, what the client still sends is read and discarded for this long:
# closing at once would reset the connection, which can destroy the response (RFC 9112, 9.6).
LINGER_SECONDS = 2.0
MAX_LINGER_BYTES = 8 * 1024 * 1024
MAX_HEADER_BYTES = 16 * 1024
MAX_CONNECTIONS = 1000
MAX_OF_A_NETWORK = 200
LOG_EVERY_SECONDS = 10.0

Reason = Literal["late", "network_full", "server_full"]

_log = structlog.get_logger()

_OPEN = Gauge("http_connections_open", "Open connections of clients.")
_CLOSED = Counter(
    "http_connections_closed", "Connections that the service closed on a client.", ["reason"]
)


class Connection(Protocol):
    """A connection, which its server keeps up to date; times are those of `time.monotonic`."""

    @property
    def address(self) -> str:
        """The other end."""

    @property
    def is_waiting(self) -> bool:
        """Whether the server waits for the client: for a request, or for the rest of one."""

    since: float
    """When the phase began."""
    ends_at: float
    """When the phase must have ended."""

    def drop(self) -> None:
        """Close it, even if something has not been sent yet."""


class _Group:
    """The connections of one client network."""

    def __init__(self, *, is_trusted: bool) -> None:
        self.is_trusted = is_trusted
        self.members: set[Connection] = set()

    def longest_waiting(self) -> Connection | None:
        waiting = [member for member in self.members if member.is_waiting]
        return min(waiting, key=lambda member: member.since, default=None)


class Connections:
    """The open connections of one server; for one thread.

    The networks in `trusted` are those of proxies, whose connections carry the requests of many
    clients: only the limit of the whole server applies to them.
    """

    def __init__(
        self,
        *,
        trusted: Sequence[Network] = (),
        limit: int = MAX_CONNECTIONS,
        network_limit: int = MAX_OF_A_NETWORK,
    ) -> None:
        self._trusted = trusted
        self._limit = limit
        self._network_limit = network_limit
        self._groups: dict[str, _Group] = {}
        self._count = 0
        self._displaced = 0
        self._log_again_at = 0.0
        _OPEN.set_function(lambda: self._count)

    def add(self, connection: Connection) -> None:
        """Register a new connection; if there are too many, drop one, perhaps this one."""
        network = network_of(connection.address)
        group = self._groups.get(network)
        if group is None:
            is_trusted = is_in(connection.address, self._trusted)
            group = self._groups[network] = _Group(is_trusted=is_trusted)
        group.members.add(connection)
        self._count += 1
        if len(group.members) > self._network_limit and not group.is_trusted:
            self._drop_one([group], "network_full")
        elif self._count > self._limit:
            self._make_room()

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has closed."""
        network = network_of(connection.address)
        group = self._groups.get(network)
        if group is None or connection not in group.members:
            return
        group.members.remove(connection)
        self._count -= 1
        if not group.members:
            del self._groups[network]

    def check(self) -> None:
        """Drop the connections whose phase has lasted too long; to be called every second.

        If the process has no file descriptor left, which servers do not always report, one
        waiting connection is closed each time.
        """
        now = time.monotonic()
        members = [member for group in self._groups.values() for member in group.members]
        for member in members:
            if member.ends_at < now:
                self._drop(member, "late")
        fault = _descriptor_fault()
        if fault:
            self._make_room()
        if (fault or self._displaced) and now >= self._log_again_at:
            reason = fault or "limit of connections"
            _log.warning(
                "too many connections", reason=reason, closed=self._displaced, open=self._count
            )
            self._displaced, self._log_again_at = 0, now + LOG_EVERY_SECONDS

    def _make_room(self) -> None:
        def priority(group: _Group) -> tuple[bool, int]:
            return group.is_trusted, -len(group.members)

        self._drop_one(sorted(self._groups.values(), key=priority), "server_full")

    def _drop_one(self, groups: Iterable[_Group], reason: Reason) -> None:
        for group in groups:
            if (member := group.longest_waiting()) is not None:
                self._displaced += 1
                self._drop(member, reason)
                return

    def _drop(self, connection: Connection, reason: Reason) -> None:
        self.remove(connection)
        _CLOSED.labels(reason).inc()
        connection.drop()


def _descriptor_fault() -> str:
    """Return why this process cannot open a file, usually nothing."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.strerror or "unknown"
    return ""


def max_connections() -> int:
    """Return how many connections this process may hold: at most half of its descriptors.

    The soft limit of open files is raised as far as the hard one, which is the operator's, allows.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MAX_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, soft // 2)
