"""The Frontend of its own tests, between two fake backends, for the tests of its HTML."""

from services.frontend.tests.conftest import (  # noqa: F401
    browser,
    bruce,
    frontend,
    settings,
    thoughts,
    token_maker,
    users,
)
