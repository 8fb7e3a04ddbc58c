"""Waits until a server reports that it is ready."""

import http.client
import time
from collections.abc import Callable
from urllib.parse import urlsplit

_PAUSE_SECONDS = 0.05


def is_ready(url: str, *, host: str | None = None) -> bool:
    """Whether a GET of `url` answers 200 within two seconds; proxies are not used.

    `host` is the name that the server is asked for, if it is not the one in `url`.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=2)
    try:
        connection.request("GET", parts.path, headers={"Host": host or parts.netloc})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Wait at most `seconds` until `condition()` is true; return whether it is."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True
