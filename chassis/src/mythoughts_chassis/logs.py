"""Logs: one JSON object per line on standard output, including the logs of libraries.

{"time": "2026-01-31T12:00:00.123456Z", "level": "info", "service": "users-backend",
"event": "request", "request_id": "9f…", "method": "GET", "route": "/api/me", …}

Lines go through structlog, except the line of each request: it is written directly, in a third of
the time, because every request pays for it.

Whatever a client sends, a line stays one line, and unprintable characters, such as terminal control
codes, are escaped. Tracebacks contain no values of variables and only the first line of an error's
message: in the following lines PostgreSQL shows the row that it rejected.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import IO, Any, Literal

import msgspec
import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from mythoughts_chassis.observation import RequestLogger, current_ids, log_requests_with

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

# Password hashes and tokens are easy to recognize: if an error's message contains one after all,
# it is masked.
_SECRET = re.compile(r"\$argon2[\w$=,+/-]+|\beyJ[\w-]+(?:\.[\w-]+)*", re.ASCII)


class _Unfailing:
    """A file that discards what it cannot write, for example on a full disk, and never raises.

    It has only the methods that structlog uses.
    """

    def __init__(self, file: IO[Any]) -> None:
        self._file = file

    def write(self, line: str | bytes) -> None:
        try:
            self._file.write(line)
        except OSError:
            return

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            return


def configure_logging(*, service: str, level: str, output: Literal["json", "console"]) -> None:
    """Send structlog's and the standard library's logs to standard output, in one format."""
    # The output does not depend on the locale.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")

    def add_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[Processor] = [
        _add_ids,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    console = structlog.dev.ConsoleRenderer(timestamp_key="time", colors=sys.stdout.isatty())
    form: list[Processor] = [
        structlog.processors.ExceptionRenderer(_traceback),
        # In a terminal the reader knows the service.
        *([add_service, _render_json] if output == "json" else [_escape, console]),
        _without_secrets,
    ]
    structlog.configure(
        processors=[*shared, *form],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        # Each line is written by a single call, so lines of different threads do not mix.
        logger_factory=structlog.WriteLoggerFactory(_Unfailing(sys.stdout)),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    if output == "json" and LEVELS[level] <= logging.INFO:
        log_requests_with(_quick_request_logger(service))
    _redirect_standard_logging(shared, form, LEVELS[level])
    # An uncaught error ends the process; its traceback is logged like any other line.
    sys.excepthook = lambda *error: structlog.get_logger().critical("died", exc_info=error)


def _quick_request_logger(service: str) -> RequestLogger:
    write_line = structlog.BytesLogger(_Unfailing(sys.stdout.buffer)).msg  # type: ignore[arg-type]

    def log_request(**fields: object) -> None:
        line = {"time": datetime.now(UTC), "level": "info", "service": service, "event": "request"}
        path = _SECRET.sub("***", str(fields.get("path", "")))
        write_line(_json_line(line | _present_ids() | fields | {"path": path}))

    return log_request


def _add_ids(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event.update(_present_ids())
    return event


def _present_ids() -> dict[str, str]:
    """Return the ids of the request that a line belongs to, if any."""
    ids = current_ids.get(None)
    if ids is None:
        return {}
    trace = {} if ids.trace_id is None else {"trace_id": ids.trace_id}
    return {"request_id": ids.request_id, **trace}


def first_line(error: BaseException) -> str:
    """Return the part of an error's message that may be shown."""
    return _SECRET.sub("***", str(error).partition("\n")[0])


def _traceback(exc_info: ExcInfo) -> str:
    """Return the traceback of the error and its causes, as Python shows it, without values."""
    return "\n\nThat led to another error:\n\n".join(map(_frames_of, _chain(exc_info[1])))


def _chain(error: BaseException | None) -> list[BaseException]:
    """Return the causes of the error, then the error."""
    chain: list[BaseException] = []
    while error is not None and all(error is not known for known in chain):
        chain.insert(0, error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def _frames_of(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    message = first_line(error)
    lines = [
        "Traceback (most recent call last):\n",
        *traceback.format_tb(error.__traceback__),
        f"{kind}: {message}" if message else kind,
    ]
    if isinstance(error, BaseExceptionGroup):
        lines += [f"\n{_traceback((type(e), e, e.__traceback__))}" for e in error.exceptions]
    return "".join(lines)


def _render_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return _json_line(event).decode()


def _json_line(event: Mapping[str, object]) -> bytes:
    try:
        line = msgspec.json.encode(event, enc_hook=repr)
    except UnicodeEncodeError:
        # A lone surrogate, which represents bytes that are not UTF-8.
        line = json.dumps(event, default=repr).encode()
    return _in_one_line(line)


def _in_one_line(line: bytes) -> bytes:
    """Escape characters that JSON allows but others treat as line breaks or control codes."""
    text = line.decode()
    if text.isprintable():
        return line
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text).encode()


def _escape(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escape unprintable characters, except the line breaks of a traceback."""
    for name, value in event.items():
        kept = "\n" if name in ("exception", "stack") else ""
        text = value if isinstance(value, str) else repr(value)
        if not text.isprintable():
            event[name] = "".join(
                c if c.isprintable() or c in kept else ascii(c)[1:-1] for c in text
            )
    return event


def _without_secrets(_: WrappedLogger, __: str, line: EventDict | str) -> str:
    return _SECRET.sub("***", str(line))


def _redirect_standard_logging(shared: list[Processor], form: list[Processor], level: int) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *form],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Operators do not need the info messages of libraries.
    root.setLevel(max(level, logging.WARNING))
