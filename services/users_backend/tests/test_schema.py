"""The API against its own OpenAPI document: whatever is sent, the answer is a documented one."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from chassis.tests.http_client import HttpClient
from chassis.tests.token_maker import TokenMaker
from services.users_backend.tests.sql import Sql

# Ids that are generated hit nobody who is above this.
ADMIN_ID = 4_000_000_000

Case = schemathesis.Case[Any]

api = schemathesis.openapi.from_path(str(Path(__file__).parent.parent / "openapi.json"))
some_cases = settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def lasting_admin(sql: Sql, token_maker: TokenMaker) -> str:
    """The token of an admin whom no generated call deletes."""
    sql.run("SELECT setval('users_id_seq', $1, false)", ADMIN_ID)
    user_id = sql.add_user("admin", is_admin=True)
    return token_maker.token("admin", user_id=user_id, scope="admin")


def check(case: Case, http: HttpClient, headers: dict[str, str]) -> None:
    """Send a generated request and check the answer in every respect."""
    # What the document cannot say: which parameters exclude each other, and that a form has
    # each field once.
    may_be_refused = case.method == "GET" or case.media_type != "application/json"
    case.call_and_validate(
        f"http://127.0.0.1:{http.port}",
        headers=headers,
        excluded_checks=[positive_data_acceptance] if may_be_refused else [],
    )


@api.parametrize()
@some_cases
def test_admin_gets_documented_answers(case: Case, http: HttpClient, lasting_admin: str) -> None:
    """With an admin's token every generated request gets an answer that the document allows."""
    check(case, http, {"Authorization": f"Bearer {lasting_admin}"})


@api.parametrize()
@some_cases
def test_nobody_gets_documented_answers(case: Case, http: HttpClient) -> None:
    """Without a token every generated request gets an answer that the document allows."""
    check(case, http, {})
