"""Odd input is the client's fault: it is refused, and counts as no failure."""

import pytest

from services.users_backend.tests.conftest import MakeBackend
from testkit.odd_requests import check_odd_requests
from testkit.token_maker import TokenMaker
from testkit.users_sql import Sql

pytestmark = pytest.mark.security


def test_no_odd_request_is_a_fault(
    make_backend: MakeBackend, sql: Sql, token_maker: TokenMaker
) -> None:
    """No body, content type, encoding or address gets a status of 500 or above."""
    backend = make_backend()
    backend.start()

    check_odd_requests(
        backend,
        written=["/api/login/", "/api/me/password/", "/api/users/", "/admin/users/"],
        read=["/api/me/", "/admin/users/", "/.well-known/jwks.json"],
        headers={"Authorization": f"Bearer {token_maker.admin_token()}"},
    )
