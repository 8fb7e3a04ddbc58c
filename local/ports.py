"""TCP ports of this machine: finding a free one, and who holds one that is not."""

import errno
import random
import socket

# Below what Linux and macOS give to outgoing connections, so that none of those takes the port
# between the moment it is found free and the moment a server listens on it.
_CANDIDATES = range(15_000, 32_000)

# Servers listen on the first alone, but `localhost` leads a browser to either.
_ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def fault_of(port: int) -> str | None:
    """Why no server could listen on `port` now, such as `is in use by nginx (process 7)`."""
    for family, host in _ADDRESSES:
        try:
            with socket.socket(family) as probe:
                # As servers do, so that connections of the last run that are still closing do not
                # count.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except PermissionError:
            return "may not be used by this account"
        except OSError as error:
            if error.errno not in _NO_SUCH_ADDRESS:
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
    # Only now, because `make down` works without packages.
    import psutil  # noqa: PLC0415

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
