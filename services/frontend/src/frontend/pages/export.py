"""A file with all of the user's own thoughts, newest first, streamed as it is written.

    thoughts-2026-11-26.json   [{"id":17,"username":"bruce","text":"…","timestamp":"…Z"}, …]
    thoughts-2026-11-26.csv    id, timestamp and text; RFC 4180, UTF-8 with a byte order mark

Spreadsheets interpret a cell that begins with certain characters as a formula. The CSV file puts an
apostrophe before such a text, as OWASP advises ("CSV Injection"); the JSON file is exact.
"""

import csv
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from io import StringIO
from itertools import chain

import msgspec
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from frontend.backends.thoughts_backend import Thought
from frontend.pages.page_request import PageRequest, for_users
from frontend.pages.rendering import show

EXPORT_SECONDS = 600
# Including the full-width forms, which some spreadsheets treat like the ASCII ones.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
BYTE_ORDER_MARK = "\ufeff"


@for_users
def choose(request: PageRequest) -> HttpResponse:
    """The choice between the two formats."""
    return show(request, "export.html")


@for_users
def as_json(request: PageRequest) -> HttpResponseBase:
    """All own thoughts as JSON, in the form that the API uses."""
    return _file(request, json_parts, "json", "application/json")


@for_users
def as_csv(request: PageRequest) -> HttpResponseBase:
    """All own thoughts as a table."""
    return _file(request, csv_parts, "csv", "text/csv; charset=utf-8")


def json_parts(pages: Iterable[list[Thought]]) -> Iterator[bytes]:
    """Yield a JSON array, each thought on a line of its own."""
    separator = b"[\n"
    for page in filter(None, pages):
        yield separator + b",\n".join(map(msgspec.json.encode, page))
        separator = b",\n"
    yield b"[]\n" if separator == b"[\n" else b"\n]\n"


def csv_parts(pages: Iterable[list[Thought]]) -> Iterator[bytes]:
    """Yield a table: a row with the names of its columns, and one for each thought."""
    yield _rows([("id", "timestamp", "text")], start=BYTE_ORDER_MARK)
    for page in pages:
        yield _rows([(str(t.id), t.timestamp.isoformat(), _harmless(t.text)) for t in page])


def _rows(rows: Iterable[tuple[str, ...]], start: str = "") -> bytes:
    table = StringIO(start, newline="")
    table.seek(0, 2)
    csv.writer(table, quoting=csv.QUOTE_ALL).writerows(rows)
    return table.getvalue().encode()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


class _Export:
    """The parts of a file. The server closes it at the end, which makes room for another export."""

    def __init__(self, parts: Iterator[bytes], close: Callable[[], None]) -> None:
        self._parts = parts
        self.close = close

    def __iter__(self) -> Iterator[bytes]:
        return self._parts


def _file(
    request: PageRequest,
    written: Callable[[Iterable[list[Thought]]], Iterator[bytes]],
    extension: str,
    content_type: str,
) -> HttpResponseBase:
    """Return the file, or a page that says why there is none: too many exports, or HTTP/1.0.

    HTTP/1.0 has no chunks, so a file that breaks off would look complete.

    A failure before the first page of thoughts has arrived is handled as on any other page. A later
    one breaks the file off, which browsers report.
    """
    if request.META["SERVER_PROTOCOL"] == "HTTP/1.0":
        fault = gettext(
            "Exports need HTTP/1.1, so that an incomplete file is noticed. A proxy in front of "
            "this site uses HTTP/1.0. Please tell the people who run this site."
        )
        return show(request, "export.html", status=505, fault=fault)
    exports = request.parts.exports
    if not exports.acquire(blocking=False):
        fault = gettext("Too many exports are running. Please try again in a minute.")
        return show(request, "export.html", status=503, fault=fault)
    try:
        pages = request.parts.thoughts.all_own_thoughts(request.caller)
        first = next(pages)
    except BaseException:
        exports.release()
        raise
    parts = written(_in_time(chain([first], pages)))
    response = StreamingHttpResponse(_Export(parts, exports.release), content_type=content_type)
    name = f"thoughts-{datetime.now(UTC).date()}.{extension}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _in_time(pages: Iterable[list[Thought]]) -> Iterator[list[Thought]]:
    """Yield the pages; raises `TimeoutError` if the client reads them too slowly."""
    ends_at = time.monotonic() + EXPORT_SECONDS
    for page in pages:
        if time.monotonic() > ends_at:
            raise TimeoutError("the export took too long")
        yield page
