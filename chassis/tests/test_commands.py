"""Commands: errors that the operator can fix are reported in one message."""

import argparse
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from mythoughts_chassis.commands import Command, CommandError, run
from mythoughts_chassis.keys import KeySetError
from mythoughts_chassis.settings import SettingsError

SLEEPER = """
import argparse, time
from mythoughts_chassis.commands import run

def sleep(_, __):
    print("sleeping", flush=True)
    time.sleep(600)

parser = argparse.ArgumentParser()
parser.set_defaults(command=sleep)
run(parser, [])
"""


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """A command's changes to its process do not outlive the test."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


def run_raising(error: Exception | None) -> int:
    """Run a program whose only command raises an error."""

    def command(_: argparse.Namespace, __: object) -> None:
        if error is not None:
            raise error

    parser = argparse.ArgumentParser(prog="example")
    chosen: Command = command
    parser.set_defaults(command=chosen)
    return run(parser, [])


def test_command_that_works_has_status_0() -> None:
    """A command that does not raise succeeds."""
    assert run_raising(None) == 0


@pytest.mark.parametrize(
    "error",
    [
        SettingsError("broken"),
        KeySetError("broken"),
        CommandError("broken"),
        ConnectionRefusedError("broken"),
    ],
)
def test_fault_of_the_surroundings_is_reported(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error that the operator can fix goes to standard error, with status 2."""
    assert run_raising(error) == 2
    assert capsys.readouterr().err == "example: broken\n"


def run_several(*words: str) -> tuple[int, list[str]]:
    """Run a program with two commands, one of which fails; its status, and what was run."""
    ran: list[str] = []

    def command(options: argparse.Namespace, _: object) -> None:
        ran.append(options.name)
        if options.name == "fail":
            raise CommandError("broken")

    parser = argparse.ArgumentParser(prog="example")
    parser.set_defaults(name="default", command=command)
    actions = parser.add_subparsers()
    for name in ("work", "fail"):
        actions.add_parser(name).set_defaults(name=name)
    return run(parser, words), ran


@pytest.mark.parametrize(
    ("words", "status", "ran"),
    [
        ("", 0, ["default"]),
        ("work", 0, ["work"]),
        ("work then work", 0, ["work", "work"]),
        ("work then fail then work", 2, ["work", "fail"]),
    ],
)
def test_commands_run_one_after_the_other(words: str, status: int, ran: list[str]) -> None:
    """`then` separates commands; the first that fails is the last."""
    assert run_several(*words.split()) == (status, ran)


def test_no_command_runs_if_a_later_one_is_misspelt() -> None:
    """All commands are read before the first one runs."""
    with pytest.raises(SystemExit):
        run_several("work", "then", "wrok")


def test_each_line_names_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line of a multi-line message begins with the program's name."""
    run_raising(SettingsError("one\ntwo"))

    assert capsys.readouterr().err == "example: one\nexample: two\n"


def test_fault_of_ours_is_not_hidden() -> None:
    """Any other error shows its traceback."""
    with pytest.raises(ZeroDivisionError):
        run_raising(ZeroDivisionError())


def test_sigterm_ends_a_command_at_once() -> None:
    """A command that does not handle signals ends on SIGTERM, without a traceback."""
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPER],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()

        process.terminate()
        _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (128 + signal.SIGTERM, "")
