"""TCP ports of this machine: finds a free one, and which process uses an occupied one."""

import errno
import os
import random
import socket
from collections import deque

# Below the range that Linux and macOS use for outgoing connections, so that none of them takes a
# port between the check and the moment a server listens on it.
_CANDIDATES = range(15_000, 32_000)

# Servers listen only on the first, but `localhost` can lead a browser to either.
_ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

# The file descriptors of this process's reservations, the newest last. They are closed when the
# process ends, or when there are too many: a server listens long before 64 others are started.
_MOST_RESERVATIONS = 64
_reservations: deque[int] = deque()


def fault_of(port: int) -> str | None:
    """Why no server can listen on `port` now, such as `is in use by nginx (process 7)`, or None."""
    for family, host in _ADDRESSES:
        try:
            with socket.socket(family) as probe:
                # As servers do, so that connections of the last run that are still closing are
                # ignored.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except PermissionError:
            return "may not be used by this account"
        except OSError as error:
            if error.errno not in _NO_SUCH_ADDRESS:
                return f"is in use{_holder_of(port)}"
    return None


def free_port() -> int:
    """A free port, which no other process of the project gets before a server listens on it."""
    chooser = random.SystemRandom()
    while True:
        port = chooser.choice(_CANDIDATES)
        if fault_of(port) is None and _reserve(port):
            return port


def _reserve(port: int) -> bool:
    """Reserve a port; returns whether it was not reserved before.

    The reservation is a UDP socket of the same number: it excludes other reservations, and no
    server that listens with TCP.
    """
    reservation = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        reservation.bind((_ADDRESSES[0][1], port))
    except OSError:
        reservation.close()
        return False
    _reservations.append(reservation.detach())
    if len(_reservations) > _MOST_RESERVATIONS:
        os.close(_reservations.popleft())
    return True


def _holder_of(port: int) -> str:
    """` by NAME (process N)`, or an empty string if the system does not reveal it."""
    # Imported here, because `make down` works without packages.
    import psutil  # noqa: PLC0415

    try:
        connections = psutil.net_connections("tcp")
        for connection in connections:
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr
            if listens and listens.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        # macOS reveals it only to root; the process may also have ended in the meantime.
        return ""
    return ""
