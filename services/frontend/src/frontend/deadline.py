"""Connections whose time limit is for a whole answer.

A socket's own timeout starts anew with every received byte: a backend that sends one byte a
second would hold a thread for as long as it likes.
"""

import socket
import time
from typing import Any

from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection


class DeadlineSocket(socket.socket):
    """A socket whose `settimeout` limits everything received from then on, together."""

    _receive_until = 0.0

    def settimeout(self, value: float | None, /) -> None:
        """Start the clock: all receiving has to end within `value` seconds from now."""
        super().settimeout(value)
        self._receive_until = time.monotonic() + (value or 0.0)

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        """Receive; raises `TimeoutError` when the time of the whole answer is over."""
        remaining_seconds = self._receive_until - time.monotonic()
        if remaining_seconds <= 0:
            raise TimeoutError("the answer took too long")
        super().settimeout(remaining_seconds)
        return super().recv_into(*arguments, **options)


class DeadlineConnection(HTTPConnection):
    """A connection on a `DeadlineSocket`; urllib3 sets its timeout before it reads an answer."""

    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        timeout = plain.gettimeout()
        deadline = DeadlineSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        deadline.settimeout(timeout)
        return deadline

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send a request; on a connection used before, with its time set anew."""
        if self.sock is not None:
            self.sock.settimeout(self.timeout)
        super().request(*arguments, **options)


class DeadlinePool(HTTPConnectionPool):
    """A pool of such connections."""

    ConnectionCls = DeadlineConnection
