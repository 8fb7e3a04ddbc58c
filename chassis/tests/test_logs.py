"""Logs: one line of JSON per entry, whichever logger writes it."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

START = """
import logging, warnings
import structlog
from mythoughts_chassis.logs import configure_logging
from mythoughts_chassis.observation import RequestIds, current_ids
"""
CONFIGURE = "configure_logging(service='example', level='info', output='json')\n"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def output(code: str, *, configure: str = CONFIGURE, **environment: str) -> str:
    """The standard output of a separate program."""
    done = subprocess.run(
        [sys.executable, "-c", START + configure + code],
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def only_line(code: str) -> dict[str, Any]:
    """The only line that a program logs."""
    (line,) = output(code).splitlines()
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_line_is_json() -> None:
    """A line contains time, level, service, event and the given fields."""
    line = only_line("structlog.get_logger().info('it happened', count=3)")

    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "service": "example", "event": "it happened", "count": 3}


def test_standard_library_speaks_the_same() -> None:
    """Library logs from the standard library look the same, with the logger's name."""
    line = only_line("logging.getLogger('library').warning('%d of %s', 3, 'them')")

    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "service": "example",
        "event": "3 of them",
        "logger": "library",
    }


def test_libraries_ordinary_work_is_not_logged() -> None:
    """Library logs appear from warnings on."""
    assert output("logging.getLogger('library').info('connected')") == ""


def test_less_severe_lines_are_left_out() -> None:
    """Lines below the level are not written."""
    assert output("structlog.get_logger().debug('detail')") == ""


@pytest.mark.parametrize("logger", ["structlog.get_logger()", "logging.getLogger('library')"])
def test_exception_stays_in_its_line(logger: str) -> None:
    """A traceback is a field of the line, not separate lines."""
    line = only_line(f"try: 1 / 0\nexcept ZeroDivisionError: {logger}.exception('failed')")

    assert (line["level"], line["event"]) == ("error", "failed")
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize("logger", ["structlog.get_logger()", "logging.getLogger('library')"])
def test_line_names_its_request(logger: str) -> None:
    """During a request, every line has its id and trace id."""
    line = only_line(f"current_ids.set(RequestIds('id-1', '{TRACE}')); {logger}.warning('a')")

    assert line["request_id"] == "id-1"
    assert line["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_line_outside_a_request_names_none() -> None:
    """A line outside a request has no id."""
    assert "request_id" not in only_line("structlog.get_logger().info('a')")


def test_line_break_does_not_end_the_line() -> None:
    """Input from a client cannot create a log line."""
    line = only_line("structlog.get_logger().info('a', path='/x\\n{\"level\": \"error\"}')")

    assert line["path"] == '/x\n{"level": "error"}'


def test_any_value_can_be_logged() -> None:
    """A value without a JSON form is written as Python shows it."""
    assert only_line("structlog.get_logger().info('a', value={1: object})")["event"] == "a"


def test_other_scripts_are_logged_as_they_are() -> None:
    """Text is escaped only as JSON requires."""
    assert "你好" in output("structlog.get_logger().info('你好')")


def test_console_is_for_people() -> None:
    """In a terminal, a line is text, without the service's name."""
    configure = "configure_logging(service='example', level='info', output='console')\n"

    line = output("structlog.get_logger().info('it happened', count=3)", configure=configure)

    assert "it happened" in line
    assert "count=3" in line
    assert "example" not in line
    assert not line.startswith("{")


REQUEST = """
from mythoughts_chassis.observation import observe_request
current_ids.set(RequestIds('id-1', {trace!r}))
observe_request(method='GET', route={route!r}, path='/a/你', status=200, seconds=0.0012345)
"""


def test_request_has_a_line() -> None:
    """The line of a request has the same format as all others."""
    line = only_line(REQUEST.format(trace=TRACE, route="/a/{id}"))

    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "service": "example",
        "event": "request",
        "request_id": "id-1",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "method": "GET",
        "route": "/a/{id}",
        "path": "/a/你",
        "status": 200,
        "duration_ms": 1.234,
    }


def test_request_without_route_and_trace_has_a_line() -> None:
    """An unmatched path has no route, and without a trace there is no trace id."""
    line = only_line(REQUEST.format(trace=None, route=None))

    assert line["route"] is None
    assert "trace_id" not in line


@pytest.mark.parametrize("level", ["warning", "error"])
def test_request_is_less_severe_than_a_warning(level: str) -> None:
    """With LOG_LEVEL=warning requests are not logged."""
    configure = CONFIGURE.replace("info", level)

    assert output(REQUEST.format(trace=None, route="/a"), configure=configure) == ""


def test_request_has_a_line_for_people() -> None:
    """In a terminal, the line of a request is also text."""
    configure = CONFIGURE.replace("json", "console")

    line = output(REQUEST.format(trace=None, route="/a"), configure=configure)

    assert "status=200" in line
    assert not line.startswith("{")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_threads_do_not_mix_their_lines(unbuffered: str) -> None:
    """Request lines and other lines written by threads at the same time stay whole."""
    lines = output(
        """
import threading
from mythoughts_chassis.observation import observe_request
def write(number):
    current_ids.set(RequestIds(f'id-{number}'))
    for _ in range(200):
        observe_request(method='GET', route='/a', path='/a', status=200, seconds=0.001)
        structlog.get_logger().info('between')
threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
        PYTHONUNBUFFERED=unbuffered,
    ).splitlines()

    assert len([json.loads(line) for line in lines]) == 4 * 200 * 2


CONSOLE = CONFIGURE.replace("json", "console")
FORMS = pytest.mark.parametrize("configure", [CONFIGURE, CONSOLE], ids=["json", "console"])
LOGGERS = pytest.mark.parametrize("logger", ["structlog.get_logger()", "logging.getLogger('a')"])
# Characters that end a line, control a terminal or change the text direction.
DANGEROUS = (
    *("\n", "\r", "\x0b", "\x0c", "\x1b[2J", "\x00", "\x07", "\x7f", "\x85", "\x9b31m"),
    *("\u2028", "\u2029", "\u202e", "\u2066", "\u200f", "\u061c", "\ufeff", "\ud800"),
)


@FORMS
@LOGGERS
def test_nothing_from_outside_is_a_line_or_a_command(configure: str, logger: str) -> None:
    """Unprintable characters are escaped, in the event and in every value."""
    call = "warning(t, a=t, b=[t], c=Odd())" if "structlog" in logger else "warning('x %s', t)"
    code = f"""
class Odd: __repr__ = lambda _: t
for t in {DANGEROUS!a}: {logger}.{call}
"""
    written = output(code, configure=configure)

    lines = written.splitlines()
    assert len(lines) == len(DANGEROUS)
    assert all(line.isprintable() for line in lines)
    assert written == "".join(f"{line}\n" for line in lines)


def test_escaped_text_is_the_same_when_parsed() -> None:
    """JSON's escapes represent the original characters."""
    lines = output(f"for t in {DANGEROUS!a}: structlog.get_logger().info('a', text=t)").splitlines()

    assert [json.loads(line)["text"] for line in lines] == list(DANGEROUS)


def test_path_of_a_request_is_no_line_or_command() -> None:
    """The line of a request, which is written in a faster way, is escaped too."""
    path = "".join(DANGEROUS[:-1])
    code = REQUEST.format(trace=None, route="/a").replace("/a/你", f"/{ascii(path)[1:-1]}")

    (line,) = output(code).splitlines()

    assert line.isprintable()
    assert json.loads(line)["path"] == f"/{path}"


def test_token_in_a_path_is_hidden() -> None:
    """The line of a request shows no token that a client has put into an address."""
    code = REQUEST.format(trace=None, route="/a").replace("/a/你", "/a/eyJhbGci.eyJpc3Mi.c2lnbmF0")

    assert only_line(code)["path"] == "/a/***"


SECRETS = """
def give(password):
    token = 'eyJhbGciOiJS.eyJpc3MiOiJt.c2lnbmF0dXJl'
    rest = password + '-more'
    raise ValueError(f'first\\nKey is {password} {rest} {token}')
def wrap(password):
    try: give(password)
    except ValueError as error: raise RuntimeError('second\\nand ' + password) from error
try: wrap('hunter2')
except RuntimeError as error: failed = error
"""


@FORMS
@LOGGERS
@pytest.mark.parametrize(
    "failed", ["failed", "ExceptionGroup('several', [failed])"], ids=["one", "group"]
)
def test_traceback_shows_no_values(configure: str, logger: str, failed: str) -> None:
    """A traceback contains the whole chain of errors, but neither locals nor rows."""
    written = output(f"{SECRETS}\n{logger}.error('a', exc_info={failed})", configure=configure)

    assert "ValueError: first" in written
    assert "RuntimeError: second" in written
    assert [part for part in ("hunter2", "eyJ", "c2lnbmF0dXJl") if part in written] == []


@FORMS
@pytest.mark.parametrize(
    "secret", ["$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA+/", "eyJhbGci.eyJpc3Mi.c2lnbmF0dXJl"]
)
def test_hash_or_token_in_a_message_is_hidden(configure: str, secret: str) -> None:
    """If a message contains a secret, it is masked, and the line stays whole."""
    written = output(
        f"structlog.get_logger().warning('a', reason='no \"{secret}\" here')", configure=configure
    )

    assert secret not in written
    assert "***" in written
    assert "here" in written
    assert configure == CONSOLE or json.loads(written)["reason"] == 'no "***" here'


@FORMS
def test_what_nobody_catches_is_logged_alike(configure: str) -> None:
    """The error that ends a process is logged, without values."""
    code = f"{START}{configure}{SECRETS}\nraise failed"
    command = [sys.executable, "-c", code]

    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)

    assert done.returncode == 1
    assert "RuntimeError: second" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_errors_that_name_each_other_are_shown_once() -> None:
    """A circular chain of causes ends."""
    code = "a = ValueError('x'); b = TypeError('y'); a.__cause__ = b; b.__cause__ = a\n"

    line = only_line(f"{code}structlog.get_logger().error('a', exc_info=a)")

    assert line["exception"].count("ValueError: x") == 1


def test_log_is_utf8_in_any_locale() -> None:
    """Characters that the terminal's locale cannot show are logged anyway."""
    written = output("structlog.get_logger().info('你好')", PYTHONIOENCODING="ascii")

    assert "你好" in written
