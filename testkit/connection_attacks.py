"""Attacks by connections, from several addresses of this machine, and what a service must do.

A service's tests inherit `ConnectionAttacks` and have the fixture `attacked`, a process of the
service that trusts no proxy.
"""

import resource
import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from mythoughts_chassis.connections import KEEP_ALIVE_SECONDS
from testkit.http_client import read_answer
from testkit.service_process import ServiceProcess
from testkit.waiting import WAIT_SECONDS, wait_until

# As documented, not as in the code.
MAX_OF_A_NETWORK = 200
STRANGER, OTHER = "127.0.0.2", "127.0.0.3"
START = b"GET / HTTP/1.1\r\nHost: x\r\nX-Header: "
BODY = b"POST /login/ HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 9999\r\n\r\n"


def connect(service: ServiceProcess, address: str) -> socket.socket:
    """Open a connection from this address."""
    target = ("127.0.0.1", service.http.port)
    return socket.create_connection(target, WAIT_SECONDS, source_address=(address, 0))


def status_of(service: ServiceProcess, path: str, address: str) -> int:
    """Return the status of a request from this address."""
    connection = _client(service, address)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def _client(service: ServiceProcess, address: str) -> HTTPConnection:
    source = (address, 0)
    return HTTPConnection(
        "127.0.0.1", service.http.port, timeout=WAIT_SECONDS, source_address=source
    )


def open_connections(service: ServiceProcess) -> int:
    """Return how many connections the service holds."""
    return _metric(service, "http_connections_open")


def _metric(service: ServiceProcess, name: str) -> int:
    lines = service.http.get("/metrics").text.splitlines()
    return sum(int(float(line.split()[1])) for line in lines if line.startswith(f"{name} "))


@contextmanager
def flood(service: ServiceProcess, address: str, connections: int) -> Iterator[list[socket.socket]]:
    """Open connections from one address, each with the beginning of a request."""
    # The service has raised its own limit; this is the one of the attacker.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    with ExitStack() as opened:
        sockets = []
        for _ in range(connections):
            sockets.append(opened.enter_context(connect(service, address)))
            try:
                sockets[-1].sendall(START)
            except OSError:
                continue
        yield sockets


class ConnectionAttacks:
    """What every server must withstand; `attacked` is a fixture with a service."""

    path: str
    """What the service answers with 200."""

    def test_stalled_clients_are_disconnected(self, attacked: ServiceProcess) -> None:
        """A client that sends nothing, or byte by byte, is disconnected long before an idle one."""
        silent, slow, slow_after_one, slow_body = (connect(attacked, STRANGER) for _ in range(4))
        slow.sendall(START)
        slow_after_one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert slow_after_one.recv(65536).startswith(b"HTTP/1.1 200 ")
        slow_after_one.sendall(START)
        slow_body.sendall(BODY)
        began_at = time.monotonic()
        stalled = [silent, slow, slow_after_one, slow_body]

        while stalled:
            assert time.monotonic() - began_at < KEEP_ALIVE_SECONDS - 15, stalled
            for connection in _ended(stalled):
                stalled.remove(connection)
                connection.close()
            for connection in stalled:
                if connection is not silent:
                    _send_if_open(connection, b"x")
            time.sleep(0.5)

    def test_idle_connection_stays(self, attacked: ServiceProcess) -> None:
        """A connection that had a request is kept for the next, longer than one without."""
        idle = _client(attacked, STRANGER)
        idle.request("GET", self.path)
        idle.getresponse().read()
        with connect(attacked, STRANGER) as silent:
            read_answer(silent)

        # This client does not connect again.
        idle.request("GET", "/healthz")
        assert idle.getresponse().status == 200
        idle.close()

    def test_large_heads_are_refused(self, attacked: ServiceProcess) -> None:
        """Headers of 12 KiB are taken, and endless ones cut off; those of 20 KiB get a 431.

        The client can read it, although it had not finished when the server refused.
        """
        line = b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % self.path.encode()
        fields = b"".join(b"X-%d: %b\r\n" % (number, b"a" * 1000) for number in range(20))
        with connect(attacked, STRANGER) as fitting:
            fitting.sendall(line + fields[: 12 * 1024].rpartition(b"\r\n")[0] + b"\r\n\r\n")
            assert read_answer(fitting).startswith(b"HTTP/1.1 200 ")
        for large in (fields, b"X-Large: " + b"a" * 20 * 1024 + b"\r\n"):
            # A machine that is busy for too long in between can lose an answer.
            assert any(_status_read_late(attacked, line + large) == 431 for _ in range(5))
        with connect(attacked, STRANGER) as endless:
            endless.sendall(line + b"X-Endless: ")
            sent = 0
            while _send_if_open(endless, b"a" * 4096):
                sent += 4096
                assert sent < 64 * 1024 * 1024
                time.sleep(0.001)

    def test_flood_from_one_address(self, attacked: ServiceProcess) -> None:
        """1,200 connections from one address are not kept, and no other client notices them."""
        with flood(attacked, STRANGER, 1200) as sockets:
            # The first ones have been closed to make room for the last.
            wait_until(lambda: len(_ended(sockets)) >= 1200 - MAX_OF_A_NETWORK)
            statuses = {status_of(attacked, self.path, address) for address in (OTHER, STRANGER)}
            probe = attacked.http.get("/healthz").status
            held = open_connections(attacked)
            displaced = _metric(attacked, 'http_connections_closed_total{reason="network_full"}')

        # Most were displaced; on a slow machine the time of some was up before.
        assert displaced > 500
        assert statuses == {200}
        assert probe == 200
        assert held <= MAX_OF_A_NETWORK + 5
        attacked.wait_for_line("too many connections")

    def test_missing_descriptors(self, attacked: ServiceProcess) -> None:
        """Without free descriptors the service says so, does not spin, and recovers."""
        pid = attacked.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        with flood(attacked, STRANGER, 100):
            wait_until(lambda: open_connections(attacked) > 100)
            in_use = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (in_use, limits[1]))
            # More than the first: on a busy machine those may have timed out already.
            with flood(attacked, OTHER, 190), ExitStack() as more:

                def is_reported() -> object:
                    # A descriptor may have become free since the flood.
                    more.enter_context(flood(attacked, OTHER, 1))
                    return attacked.lines("too many connections", reason="Too many open files")

                wait_until(is_reported)
                used_before = _cpu_seconds(pid)
                time.sleep(2)
                used = _cpu_seconds(pid) - used_before
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
                wait_until(lambda: _is_served(attacked, self.path))

        assert used < 1
        assert attacked.process.is_running


def _is_served(service: ServiceProcess, path: str) -> bool:
    try:
        return status_of(service, path, "127.0.0.1") == 200
    except OSError:
        return False


def _ended(connections: Sequence[socket.socket]) -> list[socket.socket]:
    """Return those that the service has closed."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLIN)
    readable = {descriptor for descriptor, _ in poll.poll(0)}
    return [connection for connection in connections if connection.fileno() in readable]


def _status_read_late(service: ServiceProcess, request: bytes) -> int | None:
    """Return the status of a response that comes before 1 MiB is sent, None after a reset."""
    with connect(service, STRANGER) as connection:
        connection.sendall(request + b"\r\n")
        _send_if_open(connection, b"a" * 1024 * 1024)
        try:
            return int(read_answer(connection).split(b" ", 2)[1])
        except ConnectionResetError:
            return None


def _send_if_open(connection: socket.socket, data: bytes) -> bool:
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _cpu_seconds(pid: int) -> float:
    """Return the processor time of a process so far; its fields 14 and 15 are clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
