"""Takes over a supervisor's listening socket, and reports to it that the service is ready.

It uses systemd's protocols, sd_listen_fds(3) and sd_notify(3). When one process replaces another,
connections wait in the queue of the socket, and none is refused or lost.
"""

import os
import socket

_FIRST_DESCRIPTOR = 3


def passed_listener() -> socket.socket | None:
    """Return the listening socket that was passed to this process, or None."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    return socket.socket(fileno=_FIRST_DESCRIPTOR)


def report_ready() -> None:
    """Tell the supervisor, if there is one, that the service answers requests."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notification:
            # A name that begins with @ is in Linux's abstract namespace.
            notification.sendto(b"READY=1", address.replace("@", "\0", 1))
