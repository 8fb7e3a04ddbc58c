"""The OpenAPI document."""

import json
from pathlib import Path

from chassis.tests.http_client import HttpClient
from services.users_backend.tests.command import run_command

COMMITTED = Path(__file__).parent.parent / "openapi.json"


def test_committed_document_is_what_the_command_prints() -> None:
    """`make openapi` would change nothing."""
    done = run_command({}, "openapi")

    assert done.stdout == COMMITTED.read_text(encoding="utf-8")


def test_committed_document_is_what_is_served(http: HttpClient) -> None:
    """The document in the folder is that of the running service."""
    answer = http.get("/schema/openapi.json")

    assert answer.json() == json.loads(COMMITTED.read_text(encoding="utf-8"))
