"""The ways in which a call to a backend can fail.

BackendError
├── BackendAway      no usable answer: slow, connection refused, 5xx, garbage, ...
├── BackendRefused   400, 413, ...: the backend rejects the request, or it cannot be sent
├── Conflict         409: the name is taken, for example
├── Forbidden        403: wrong password, or not allowed
├── ThoughtDeleted   410: the thought shared by this form has since been deleted
├── TooManyRequests  429: a limit has been reached
└── Unauthorized     401: the token is not, or no longer, valid
"""

from collections.abc import Mapping
from typing import Literal

BackendName = Literal["thoughts", "users"]


class BackendError(Exception):
    """A call to a backend failed."""


class BackendAway(BackendError):
    """The backend is unavailable; `str()` says why, for the log only."""

    def __init__(self, backend: BackendName, reason: str) -> None:
        super().__init__(f"{backend} backend: {reason}")


class BackendRefused(BackendError):
    """The backend refuses the request; `str()` says why, and `errors` says it for each field."""

    def __init__(self, explanation: str, errors: Mapping[str, str]) -> None:
        super().__init__(explanation)
        self.errors = errors


class Conflict(BackendError):
    """The backend answered 409; `str()` is its explanation."""


class Forbidden(BackendError):
    """The backend answered 403; `str()` is its explanation."""


class ThoughtDeleted(BackendError):
    """The backend answered 410."""


class TooManyRequests(BackendError):
    """The backend answered 429; the request may be repeated after `retry_after_seconds`.

    With `is_crowded`, the backend is too busy; the caller has reached no limit.
    """

    def __init__(self, retry_after_seconds: int, *, is_crowded: bool = False) -> None:
        super().__init__(f"repeat after {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds
        self.is_crowded = is_crowded


class Unauthorized(BackendError):
    """The backend answered 401."""
