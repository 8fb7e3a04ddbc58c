"""Odd input is the client's fault: it is refused, and counts as no failure."""

import pytest

from services.users_backend.tests.conftest import MakeBackend
from testkit.odd_requests import check_odd_requests

pytestmark = pytest.mark.security


def test_no_odd_request_is_a_fault(make_backend: MakeBackend, admin: str) -> None:
    """No body, content type, encoding or address gets a status of 500 or above."""
    backend = make_backend()
    backend.start()
    assert backend.http.get("/admin/users/", token=admin).status == 200

    check_odd_requests(
        backend,
        written=["/api/login/", "/api/me/password/", "/api/users/", "/admin/users/"],
        read=["/api/me/", "/admin/users/", "/.well-known/jwks.json"],
        headers={"Authorization": f"Bearer {admin}"},
    )
