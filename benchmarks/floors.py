"""The floors: the services' own servers, same options, answering one constant from memory.

    python -m benchmarks.floors api  PORT CONTENT_FILE     uvicorn with a plain ASGI function
    python -m benchmarks.floors page PORT CONTENT_FILE     waitress with a plain WSGI function

No service can answer with less work. A figure given as a multiple of its floor is comparable
between machines.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from starlette.types import ASGIApp, Receive, Scope, Send

from frontend.serving import server as frontend_server
from frontend.serving.health import Readiness
from frontend.settings import Settings as FrontendSettings
from mythoughts_chassis import server as api_server
from mythoughts_chassis.api import Api
from mythoughts_chassis.settings import ServiceSettings

HOST = "127.0.0.1"
NO_FILE = Path(os.devnull)


class _ConstantApi:
    """The part of an `Api` that the chassis's server needs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.draining = False


def main(kind: str, port: int, content: bytes) -> None:
    """Serve until a signal."""
    if kind == "api":
        settings = ServiceSettings(host=HOST, port=port, token_public_keys_path=NO_FILE)
        api_server.serve(cast("Api", _ConstantApi(_asgi_app(content))), settings)
    else:
        nowhere = f"http://{HOST}"
        frontend_server.serve(
            _wsgi_app(content),
            FrontendSettings(
                host=HOST,
                port=port,
                token_public_keys_path=NO_FILE,
                thoughts_backend_url=nowhere,
                users_backend_url=nowhere,
            ),
            Readiness(),
        )


def _asgi_app(content: bytes) -> ASGIApp:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
    ]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content, "more_body": False})

    return answer


async def _live(receive: Receive, send: Send) -> None:
    for moment in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{moment}.complete"})


def _wsgi_app(content: bytes) -> WSGIApplication:
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(content))),
    ]

    def answer(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [content]

    return answer


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]).read_bytes())
