"""What the API asks of valid requests and OpenAPI has no words for; loaded by schemathesis."""

from typing import Any

import schemathesis
from schemathesis.generation.meta import TestPhase

from testkit.generated_requests import make_words_fit


@schemathesis.hook
def before_call(
    _: schemathesis.HookContext, case: schemathesis.Case[Any], __: dict[str, Any]
) -> None:
    """Make a request that is valid by the document valid by what else `docs/api.md` says.

    A new user's name has letters and digits alone, and a new thought something visible. Two cursors
    exclude each other, and no field of a form comes twice, as one with a list or an object for its
    value would. In chains of requests no idempotency key is sent, because it may be answered with a
    thought that the chain has deleted. A request that is invalid on purpose is left alone.
    """
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    make_words_fit(case)
    if case.meta.phase.name is TestPhase.STATEFUL:
        case.headers.pop("Idempotency-Key", None)
    if {"min_id", "since_id"} <= (case.query or {}).keys():
        del case.query["since_id"]
    if isinstance(case.body, dict) and case.media_type != "application/json":
        case.body = {
            name: value for name, value in case.body.items() if not isinstance(value, list | dict)
        }
