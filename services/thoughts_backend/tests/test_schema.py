"""The API against its own OpenAPI document: whatever is sent, the answer is a documented one."""

from testkit.generated_requests import Case, check, for_every_operation
from testkit.http_client import HttpClient
from tooling.project import ROOT

SERVICE_FOLDER = ROOT / "services/thoughts_backend"


@for_every_operation(SERVICE_FOLDER)
def test_user_gets_documented_answers(case: Case, http: HttpClient, bruce: str) -> None:
    """With a user's token every generated request gets an answer that the document allows."""
    check(case, http, {"Authorization": f"Bearer {bruce}"})


@for_every_operation(SERVICE_FOLDER)
def test_admin_gets_documented_answers(case: Case, http: HttpClient, admin: str) -> None:
    """With an admin's token every generated request gets an answer that the document allows."""
    check(case, http, {"Authorization": f"Bearer {admin}"})


@for_every_operation(SERVICE_FOLDER)
def test_nobody_gets_documented_answers(case: Case, http: HttpClient) -> None:
    """Without a token every generated request gets an answer that the document allows."""
    check(case, http, {})
