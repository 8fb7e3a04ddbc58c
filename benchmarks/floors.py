"""The floors: the services' own servers answering one constant, the content of FLOOR_CONTENT.

No service can answer with less work. A figure given as a multiple of its floor is comparable
between machines.
"""

import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

_UVICORN = (
    *(
        "uvicorn",
        "benchmarks.floors:api",
        "--loop=uvloop",
        "--http=httptools",
        "--ws=none",
        "--lifespan=off",
    ),
    *("--no-proxy-headers", "--no-server-header", "--no-access-log"),
)
_WAITRESS = ("waitress", "--threads=12", "--asyncore-use-poll", "benchmarks.floors:page")

_content = Path(os.environ.get("FLOOR_CONTENT", os.devnull)).read_bytes()
_length = str(len(_content))


def command(port: int, *, page: bool) -> list[str]:
    """Return the command line that serves a page with waitress, or JSON with uvicorn."""
    host_and_port = ["--host=127.0.0.1", f"--port={port}"]
    program, *arguments = _WAITRESS if page else _UVICORN
    return [sys.executable, "-m", program, *host_and_port, *arguments]


async def api(_: object, __: object, send: Callable[[dict[str, object]], Awaitable[None]]) -> None:
    """Answer any request; a plain ASGI application."""
    headers = [(b"content-type", b"application/json"), (b"content-length", _length.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _content})


def page(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer any request; a plain WSGI application."""
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", _length)]
    start_response("200 OK", headers)
    return [_content]
