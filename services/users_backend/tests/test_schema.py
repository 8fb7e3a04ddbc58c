"""The API against its own OpenAPI document: whatever is sent, the answer is a documented one."""

import pytest

from services.users_backend.tests.conftest import LogIn
from testkit.generated_requests import Case, check, for_every_operation
from testkit.http_client import HttpClient
from testkit.users_sql import Sql
from tooling.project import ROOT

SERVICE_FOLDER = ROOT / "services/users_backend"
# Generated ids are small or huge: they match nobody here.
ADMIN_ID = 4_000_000_000


@pytest.fixture
def lasting_admin(sql: Sql, log_in_by_sql: LogIn) -> str:
    """The token of an admin who is not deleted by any generated call."""
    sql.run("SELECT setval('users_id_seq', $1, false)", ADMIN_ID)
    return log_in_by_sql("admin", sql.add_user("admin", is_admin=True), scope="admin")


@for_every_operation(SERVICE_FOLDER)
def test_admin_gets_documented_answers(
    case: Case, http: HttpClient, lasting_admin: str, sql: Sql
) -> None:
    """With an admin's token every generated request gets an answer that the document allows."""
    # The call before may have logged out.
    sql.run("UPDATE sessions SET ended_at = NULL")

    check(case, http, {"Authorization": f"Bearer {lasting_admin}"})


@for_every_operation(SERVICE_FOLDER)
def test_nobody_gets_documented_answers(case: Case, http: HttpClient) -> None:
    """Without a token every generated request gets an answer that the document allows."""
    check(case, http, {})
