"""Connections that are slow, silent, too many or too large."""

import pytest

from testkit import connection_attacks as attacks
from testkit.service_process import MakeProcess, ServiceProcess

pytestmark = pytest.mark.security

PATH = "/login/"


@pytest.fixture
def attacked(make_process: MakeProcess) -> ServiceProcess:
    """A Frontend that trusts no proxy."""
    frontend = make_process()
    frontend.start()
    return frontend


def test_stalled_clients_are_disconnected(attacked: ServiceProcess) -> None:
    """A client that sends nothing, or byte by byte, is disconnected."""
    attacks.check_stalled_clients_are_disconnected(attacked)


def test_idle_connection_stays(attacked: ServiceProcess) -> None:
    """A connection that had a request is kept longer than one that had none."""
    attacks.check_idle_connection_stays(attacked, PATH)


def test_large_heads_are_refused(attacked: ServiceProcess) -> None:
    """Headers beyond 16 KiB get 431, and endless ones do not fill the memory."""
    attacks.check_large_heads_are_refused(attacked, PATH)


def test_flood_from_one_address(attacked: ServiceProcess) -> None:
    """1,200 connections of one address take nothing from another, nor from a probe."""
    attacks.check_flood_from_one_address(attacked, PATH)


def test_missing_descriptors(attacked: ServiceProcess) -> None:
    """A Frontend without free descriptors says so and recovers."""
    attacks.check_missing_descriptors(attacked, PATH)
