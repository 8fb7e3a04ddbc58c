"""Odd input is the client's fault: it is refused, and counts as no failure."""

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.odd_requests import check_odd_requests
from testkit.thoughts_sql import Sql

pytestmark = pytest.mark.security


def test_no_odd_request_is_a_fault(make_backend: MakeBackend, sql: Sql, bruce: str) -> None:
    """No body, content type, encoding or address gets a status of 500 or above."""
    backend = make_backend(SHARES_PER_MINUTE="0", SHARES_PER_DAY="0")
    backend.start()

    check_odd_requests(
        backend,
        written=["/api/me/thoughts/", "/api/thoughts/"],
        read=["/api/thoughts/", "/api/me/thoughts"],
        headers={"Authorization": f"Bearer {bruce}"},
    )
