"""Connections whose timeout covers the whole response.

A socket's own timeout restarts with every received byte: a backend that sends one byte per
second could hold a thread indefinitely.
"""

import socket
import time
from typing import Any

from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection


class DeadlineSocket(socket.socket):
    """A socket whose `settimeout` limits the total time of all receiving from then on."""

    _receive_until = 0.0

    def settimeout(self, value: float | None, /) -> None:
        """Start the clock: all receiving must end within `value` seconds from now."""
        super().settimeout(value)
        self._receive_until = time.monotonic() + (value or 0.0)

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        """Receive data; raises `TimeoutError` when the time for the whole response is up."""
        remaining_seconds = self._receive_until - time.monotonic()
        if remaining_seconds <= 0:
            raise TimeoutError("the answer took too long")
        super().settimeout(remaining_seconds)
        return super().recv_into(*arguments, **options)


class DeadlineConnection(HTTPConnection):
    """A connection on a `DeadlineSocket`; urllib3 sets its timeout before reading a response."""

    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        timeout = plain.gettimeout()
        deadline = DeadlineSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        deadline.settimeout(timeout)
        return deadline

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send a request; the timeout of a reused connection is reset first."""
        if self.sock is not None:
            self.sock.settimeout(self.timeout)
        super().request(*arguments, **options)


class DeadlinePool(HTTPConnectionPool):
    """A pool of such connections."""

    ConnectionCls = DeadlineConnection
