"""Static files: their addresses carry a hash of their contents, so browsers keep them for good.

They are read once, when this module is loaded; nothing is collected or written beforehand.
"""

import mimetypes
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from frontend.observation import ROUTE_KEY

FOLDER = Path(__file__).parent / "static"


class StaticFile(NamedTuple):
    """One file, its address and its bytes."""

    address: str
    content: bytes
    content_type: str


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    fingerprint = sha256(content).hexdigest()[:12]
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return StaticFile(f"/static/{path.stem}.{fingerprint}{path.suffix}", content, content_type)


_FILES = {path.name: _read(path) for path in sorted(FOLDER.iterdir())}
_BY_ADDRESS = {file.address: file for file in _FILES.values()}


def static_address(name: str) -> str:
    """Return the address of a file in the folder `static`; raises `KeyError`."""
    return _FILES[name].address


def serve_static_files(app: WSGIApplication) -> WSGIApplication:
    """Return `app` with the static files in front of it."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        file = _BY_ADDRESS.get(environ["PATH_INFO"])
        if file is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return app(environ, start_response)
        environ[ROUTE_KEY] = "/static"
        start_response(
            "200 OK",
            [
                ("Content-Type", f"{file.content_type}; charset=utf-8"),
                ("Content-Length", str(len(file.content))),
                ("Cache-Control", "public, max-age=31536000, immutable"),
            ],
        )
        return [file.content]

    return serve
