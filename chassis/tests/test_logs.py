"""Logs: one line of JSON each, whoever writes."""

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
from mythoughts_chassis.requests import RequestIds, current_ids
"""
CONFIGURE = "configure_logging(service='example', level='info', output='json')\n"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def output(code: str, *, configure: str = CONFIGURE, **environment: str) -> str:
    """What a program of its own writes to standard output; it has the process to itself."""
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
    """The one line that a program logs."""
    (line,) = output(code).splitlines()
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_line_is_json() -> None:
    """A line has time, level, service, event and the fields that were given."""
    line = only_line("structlog.get_logger().info('it happened', count=3)")

    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "service": "example", "event": "it happened", "count": 3}


def test_standard_library_speaks_the_same() -> None:
    """What libraries log by the standard library looks the same, with the logger's name."""
    line = only_line("logging.getLogger('library').warning('%d of %s', 3, 'them')")

    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "service": "example",
        "event": "3 of them",
        "logger": "library",
    }


def test_libraries_ordinary_work_is_not_logged() -> None:
    """Libraries are heard from warnings on."""
    assert output("logging.getLogger('library').info('connected')") == ""


def test_less_severe_lines_are_left_out() -> None:
    """Lines below the level are not written."""
    assert output("structlog.get_logger().debug('detail')") == ""


@pytest.mark.parametrize("logger", ["structlog.get_logger()", "logging.getLogger('library')"])
def test_exception_stays_in_its_line(logger: str) -> None:
    """A traceback is a field of the line, not lines of its own."""
    line = only_line(f"try: 1 / 0\nexcept ZeroDivisionError: {logger}.exception('failed')")

    assert (line["level"], line["event"]) == ("error", "failed")
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize("logger", ["structlog.get_logger()", "logging.getLogger('library')"])
def test_line_names_its_request(logger: str) -> None:
    """While a request is answered, every line has its id and its trace."""
    line = only_line(f"current_ids.set(RequestIds('id-1', '{TRACE}')); {logger}.warning('a')")

    assert line["request_id"] == "id-1"
    assert line["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_line_outside_a_request_names_none() -> None:
    """A line that belongs to no request has no id."""
    assert "request_id" not in only_line("structlog.get_logger().info('a')")


def test_line_break_does_not_end_the_line() -> None:
    """What a client sends cannot make a line of its own."""
    line = only_line("structlog.get_logger().info('a', path='/x\\n{\"level\": \"error\"}')")

    assert line["path"] == '/x\n{"level": "error"}'


def test_any_value_can_be_logged() -> None:
    """A value that JSON has no form for is written as Python shows it."""
    assert only_line("structlog.get_logger().info('a', value={1: object})")["event"] == "a"


def test_other_scripts_are_logged_as_they_are() -> None:
    """Text is not escaped beyond what JSON asks for."""
    assert "你好" in output("structlog.get_logger().info('你好')")


def test_console_is_for_people() -> None:
    """In a terminal a line is text, without the service's name."""
    configure = "configure_logging(service='example', level='info', output='console')\n"

    line = output("structlog.get_logger().info('it happened', count=3)", configure=configure)

    assert "it happened" in line
    assert "count=3" in line
    assert "example" not in line
    assert not line.startswith("{")


REQUEST = """
from mythoughts_chassis.requests import observe_request
current_ids.set(RequestIds('id-1', {trace!r}))
observe_request(method='GET', route={route!r}, path='/a/你', status=200, seconds=0.0012345)
"""


def test_request_has_a_line() -> None:
    """The line of a request has the same form as all others."""
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
    """What no route matches has none, and without a trace there is no trace id."""
    line = only_line(REQUEST.format(trace=None, route=None))

    assert line["route"] is None
    assert "trace_id" not in line


@pytest.mark.parametrize("level", ["warning", "error"])
def test_request_is_less_severe_than_a_warning(level: str) -> None:
    """With LOG_LEVEL=warning requests are not logged."""
    configure = CONFIGURE.replace("info", level)

    assert output(REQUEST.format(trace=None, route="/a"), configure=configure) == ""


def test_request_has_a_line_for_people() -> None:
    """In a terminal the line of a request is text as well."""
    configure = CONFIGURE.replace("json", "console")

    line = output(REQUEST.format(trace=None, route="/a"), configure=configure)

    assert "status=200" in line
    assert not line.startswith("{")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_threads_do_not_mix_their_lines(unbuffered: str) -> None:
    """Lines of requests and others that threads write at the same time stay whole."""
    lines = output(
        """
import threading
from mythoughts_chassis.requests import observe_request
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
