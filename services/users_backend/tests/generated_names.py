"""Names in requests made from the document, which says only in words what a name may hold."""

from typing import Any

from schemathesis import Case


def make_name_fit(case: Case[Any]) -> None:
    """Leave ASCII letters and digits in a new user's name, unless the request shall be invalid."""
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    if is_valid and case.path.endswith("/users") and isinstance(case.body, dict):
        kept = (char for char in str(case.body["username"]) if char.isascii() and char.isalnum())
        case.body["username"] = "".join(kept) or "a"
