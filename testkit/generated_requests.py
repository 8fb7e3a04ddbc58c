"""Requests that schemathesis generates from a backend's OpenAPI document, for its tests."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from testkit.http_client import HttpClient

Case = schemathesis.Case[Any]
Test = TypeVar("Test", bound=Callable[..., None])

# A smoke test, the same each time; `make fuzz` sends thousands.
_some_cases = settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def for_every_operation(service_folder: Path) -> Callable[[Test], Test]:
    """Parametrize a test with `case`: requests for each operation of the service."""
    api = schemathesis.openapi.from_path(str(service_folder / "openapi.json"))
    # The test adds the token, also to requests that would be generated as bad for lack of one.
    api.config.generation.update(with_security_parameters=False)

    def decorate(test: Test) -> Test:
        decorated: Test = api.parametrize()(_some_cases(test))
        return decorated

    return decorate


def make_words_fit(case: Case) -> None:
    """Apply rules that the document states only in words, unless the request should be invalid.

    A new user's name keeps only ASCII letters and digits, a new password ends like no common one,
    and a new thought ends visibly.
    """
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    if not is_valid or not isinstance(case.body, dict):
        return
    name_of_password = "new_password" if "new_password" in case.body else "password"
    is_new = name_of_password == "new_password" or not case.path.endswith("/login")
    if name_of_password in case.body and is_new:
        case.body[name_of_password] = f"{str(case.body[name_of_password])[:117]} be water."
    if case.path.endswith("/users"):
        kept = (char for char in str(case.body["username"]) if char.isascii() and char.isalnum())
        case.body["username"] = "".join(kept) or "a"
    elif case.path.endswith("/thoughts"):
        case.body["text"] = f"{str(case.body['text'])[:249]}."


def check(case: Case, http: HttpClient, headers: Mapping[str, str]) -> None:
    """Send a generated request and check every aspect of the response.

    A request that matches the document must be accepted, except for rules that the document cannot
    express: which cursors exclude each other, that a form has each field once, and which
    idempotency keys were used for another body.
    """
    make_words_fit(case)
    may_be_refused = (
        case.method == "GET"
        or case.media_type not in {None, "application/json"}
        or "Idempotency-Key" in (case.headers or {})
    )
    case.call_and_validate(
        http.base_url,
        headers=dict(headers),
        excluded_checks=[positive_data_acceptance] if may_be_refused else [],
    )
