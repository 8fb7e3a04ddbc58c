"""Waiting for a server to say that it can serve."""

import http.client
import time
from collections.abc import Callable
from urllib.parse import urlsplit

_PAUSE_SECONDS = 0.05


def is_ready(url: str) -> bool:
    """Whether a GET of `url` answers 200 within two seconds; no proxy is asked."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=2)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Ask until `condition()` holds, for at most `seconds`; whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True
