"""Running other programs."""

import pytest

from tooling.commands import run
from tooling.failures import Failure


def test_failed_command_is_shown_with_its_output() -> None:
    """If a command fails, the failure names it and shows the end of its output."""
    with pytest.raises(Failure, match=r"(?s)sh -c .*\n    no space left") as failed:
        run("sh", "-c", "seq 1000 >&2; echo no space left >&2; exit 1")

    assert len(str(failed.value)) < 500


def test_command_that_takes_too_long_is_ended() -> None:
    """With a limit, the failure names the command and the limit."""
    with pytest.raises(Failure, match=r"sleep 600\n    It did not end within 0.1 s"):
        run("sleep", "600", limit_seconds=0.1)


def test_missing_program_is_named() -> None:
    """If a program is not installed, the failure names it."""
    with pytest.raises(Failure, match="no-such-program is needed for this"):
        run("no-such-program")
