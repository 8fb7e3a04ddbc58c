"""Connections that are slow, silent, too many or too large."""

import pytest

from testkit.connection_attacks import ConnectionAttacks
from testkit.service_process import MakeProcess, ServiceProcess

pytestmark = pytest.mark.security


@pytest.fixture
def attacked(make_process: MakeProcess) -> ServiceProcess:
    """A Frontend that trusts no proxy."""
    frontend = make_process()
    frontend.start()
    return frontend


class TestConnections(ConnectionAttacks):
    """Slow, silent, too many and too large ones."""

    path = "/login/"
