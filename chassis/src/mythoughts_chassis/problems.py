"""Errors as the client sees them: RFC 9457 problem details.

{"type": "about:blank", "title": "Bad Request", "status": 400,
"detail": "text: is required", "request_id": "9f…",
"errors": [{"field": "text", "detail": "is required"}]}

Problem
├── BadInput              400, with `errors`, one entry per field
├── Unauthorized          401, with WWW-Authenticate
├── Forbidden             403
├── NotFound              404
├── MethodNotAllowed      405, with Allow
├── RequestTimeout        408, the body did not come in time
├── Conflict              409
├── Gone                  410
├── BodyTooLarge          413
├── UnsupportedMediaType  415
├── UnprocessableContent  422, an Idempotency-Key reused with a different body
├── TooManyRequests       429, with Retry-After
├── InternalError         500, a fault of the service
└── Unavailable           503, with Retry-After
"""

from collections.abc import Mapping
from math import ceil
from typing import ClassVar

import msgspec

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field or parameter, named as in the request."""

    field: str
    detail: str


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every error."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldError] | msgspec.UnsetType = msgspec.UNSET


class Problem(Exception):
    """An error that is reported to the client; each subclass is one status."""

    status: ClassVar[int]
    title: ClassVar[str]
    default_detail: ClassVar[str]

    def __init__(self, detail: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        self.detail = detail or self.default_detail
        self.headers = dict(headers or {})
        self.errors: list[FieldError] = []
        super().__init__(self.detail)

    def body(self, request_id: str) -> bytes:
        """Return the problem as JSON."""
        details = ProblemDetails(
            title=self.title,
            status=self.status,
            detail=self.detail,
            request_id=request_id,
            errors=self.errors or msgspec.UNSET,
        )
        return msgspec.json.encode(details)


class BadInput(Problem):
    """A body or a parameter is invalid."""

    status, title = 400, "Bad Request"
    default_detail = "The request is invalid."

    def __init__(self, detail: str = "", *, errors: list[FieldError] | None = None) -> None:
        errors = errors or []
        super().__init__(detail or "; ".join(f"{e.field}: {e.detail}" for e in errors))
        self.errors = errors


class Unauthorized(Problem):
    """There are no valid credentials; the challenge is that of RFC 6750.

    With `has_token`, the request had a token, but it is not, or no longer, valid.
    """

    status, title = 401, "Unauthorized"
    default_detail = "A valid bearer token is required."

    def __init__(self, detail: str = "", *, has_token: bool = False) -> None:
        challenge = 'Bearer error="invalid_token"' if has_token else "Bearer"
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    """The user is authenticated but may not do this."""

    status, title = 403, "Forbidden"
    default_detail = "You do not have permission to do this."


class NotFound(Problem):
    """The resource does not exist, or the caller may not know that it does."""

    status, title = 404, "Not Found"
    default_detail = "There is nothing at this address."


class MethodNotAllowed(Problem):
    """The path exists but supports only other methods."""

    status, title = 405, "Method Not Allowed"
    default_detail = "This path does not support this method; Allow lists those it does."


class RequestTimeout(Problem):
    """The client took too long to send the body."""

    status, title = 408, "Request Timeout"
    default_detail = "The body did not arrive in time."

    def __init__(self) -> None:
        super().__init__(headers={"Connection": "close"})


class Conflict(Problem):
    """The request conflicts with the current state."""

    status, title = 409, "Conflict"
    default_detail = "The request conflicts with the current state."


class Gone(Problem):
    """The resource has been deleted."""

    status, title = 410, "Gone"
    default_detail = "This resource has been deleted."


class BodyTooLarge(Problem):
    """The body exceeds the size that this service accepts."""

    status, title = 413, "Content Too Large"
    default_detail = "The body is too large."


class UnsupportedMediaType(Problem):
    """The body has an unsupported media type, or none."""

    status, title = 415, "Unsupported Media Type"
    default_detail = "Send the body as JSON or form data, with the matching Content-Type."


class UnprocessableContent(Problem):
    """The request is well formed but cannot be processed."""

    status, title = 422, "Unprocessable Content"
    default_detail = "The request cannot be processed."


class TooManyRequests(Problem):
    """The client asks too often; it may ask again after `retry_after_seconds`, rounded up."""

    status, title = 429, "Too Many Requests"
    default_detail = "Too many requests. Please wait a moment."

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after_seconds: float = RETRY_AFTER_SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.retry_after_seconds = max(1, ceil(retry_after_seconds))
        super().__init__(
            detail, headers={"Retry-After": str(self.retry_after_seconds), **(headers or {})}
        )


class InternalError(Problem):
    """A fault of the service; details are in the log, under the request id."""

    status, title = 500, "Internal Server Error"
    default_detail = "Something went wrong. The error has been logged under this request id."


class Unavailable(Problem):
    """The service cannot answer now; the same request may succeed soon."""

    status, title = 503, "Service Unavailable"
    default_detail = "The service is temporarily unavailable. Please try again."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
