"""TCP ports of this machine: finding a free one, and who holds one that is not."""

import random
import socket

import psutil

# Below what Linux and macOS give to outgoing connections, so that none of those takes the port
# between the moment it is found free and the moment a server listens on it.
_CANDIDATES = range(15_000, 32_000)

_HOST = "127.0.0.1"


def fault_of(port: int) -> str | None:
    """Why no server could listen on `port` now, such as `is in use by nginx (process 7)`."""
    with socket.socket() as probe:
        # As servers do, so that connections of the last run that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except PermissionError:
            return "may not be used by this account"
        except OSError:
            return f"is in use{_holder_of(port)}"
    return None


def free_port() -> int:
    """A port that nobody listens on, chosen at random, so that parallel test runs rarely meet."""
    chooser = random.SystemRandom()
    while True:
        port = chooser.choice(_CANDIDATES)
        if fault_of(port) is None:
            return port


def _holder_of(port: int) -> str:
    """` by NAME (process N)` as far as the system tells."""
    try:
        connections = psutil.net_connections("tcp")
        for connection in connections:
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr
            if listens and listens.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        # macOS tells it to root alone; the process may also have ended meanwhile.
        return ""
    return ""
