"""What the API asks of valid requests and OpenAPI has no words for; loaded by schemathesis."""

import os
import secrets
from typing import Any

import schemathesis
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.schemas import OpenApiSchema

from testkit.generated_requests import make_words_fit

Case = schemathesis.Case[Any]
# The variable with the id of the user whose token is sent.
CALLER_ID = "MYTHOUGHTS_FUZZ_CALLER_ID"
NOBODY = 4_000_000_000
CURSORS = {"max_id", "since_id", "min_id"}


@schemathesis.hook
def after_load_schema(_: schemathesis.HookContext, schema: OpenApiSchema) -> None:
    """Let chains begin with lists: their cursors are no ids that another request has to give."""
    for operation in schema.analysis.dependency_graph.operations.values():
        operation.inputs = [slot for slot in operation.inputs if slot.resource_field not in CURSORS]


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: Case, __: dict[str, Any]) -> None:
    """Make a request that is valid by the document valid by what else `docs/api.md` says.

    A new user's name has letters and digits alone, and a new thought something visible. Two cursors
    exclude each other, and no field of a form comes twice, as one with a list or an object for its
    value would. A request that is invalid on purpose is left alone.

    Each request comes from an address of its own, so that no limit ends the test of a login, and an
    admin changes no user who is the caller, whose session that would end.
    """
    case.headers["X-Forwarded-For"] = _new_address()
    if str((case.path_parameters or {}).get("user_id")) == os.environ[CALLER_ID]:
        case.path_parameters["user_id"] = NOBODY
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    make_words_fit(case)
    if case.meta.phase.name is TestPhase.STATEFUL:
        _make_chain_go_on(case)
    if {"min_id", "since_id"} <= (case.query or {}).keys():
        del case.query["since_id"]
    if isinstance(case.body, dict) and case.media_type != "application/json":
        case.body = {
            name: value for name, value in case.body.items() if not isinstance(value, list | dict)
        }


def _make_chain_go_on(case: Case) -> None:
    """Make the answer of a request in a chain one that the next request can build on.

    A list has entries, a new user a name that nobody has, and no idempotency key is sent, because
    it may be answered with a thought that the chain has deleted.
    """
    case.headers.pop("Idempotency-Key", None)
    case.query = {name: value for name, value in (case.query or {}).items() if name == "limit"}
    if isinstance(case.body, dict) and case.path.endswith("/users"):
        case.body["username"] = secrets.token_hex(8)


def _new_address() -> str:
    """An address in a network that no other request came from."""
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"
