"""How a call to a backend can end, other than well.

BackendError
├── BackendAway     no answer that can be used: slow, refused, 5xx, garbage, ...
├── BackendRefused  400: the backend does not accept what was sent
├── ThoughtDeleted  410: what this form shared has been deleted since
└── Unauthorized    401: the token does not count, or not any more
"""

from typing import Literal

BackendName = Literal["thoughts", "users"]


class BackendError(Exception):
    """A call to a backend did not end well."""


class BackendAway(BackendError):
    """The backend cannot be used now; `reason` is for the log, not for the user."""

    def __init__(self, backend: BackendName, reason: str) -> None:
        super().__init__(f"{backend} backend: {reason}")
        self.backend = backend
        self.reason = reason


class BackendRefused(BackendError):
    """The backend answered 400; `str()` is its own explanation."""


class ThoughtDeleted(BackendError):
    """The backend answered 410."""


class Unauthorized(BackendError):
    """The backend answered 401."""
