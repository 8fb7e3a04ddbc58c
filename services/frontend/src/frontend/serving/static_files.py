"""Static files, served without Django.

The addresses of files in the folder `static` contain a hash of their contents, so browsers cache
them forever. The files are read once, when this module is imported.

During a rollout two versions run, and a page of one may ask a process of the other for its files.
An address with another hash gets this version's file, which browsers then do not cache.
"""

import mimetypes
import re
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from frontend.serving.observation import ROUTE_KEY
from mythoughts_chassis.static_content import StaticContent

FOLDER = Path(__file__).parents[1] / "static"
FOR_GOOD = "public, max-age=31536000, immutable"
FOR_A_DAY = "public, max-age=86400"
NOT_KEPT = "no-store"

_ADDRESS = re.compile(r"/static/([a-z]+)\.[0-9a-f]{12}(\.[a-z]+)", re.ASCII)

# Search engines may read the public list but not search it: each search costs a query.
ROBOTS = b"""User-agent: *
Disallow: /search?search=
Allow: /search
Allow: /static/
Disallow: /
"""


def _read(path: Path) -> tuple[str, StaticContent]:
    content = path.read_bytes()
    fingerprint = sha256(content).hexdigest()[:12]
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    address = f"/static/{path.stem}.{fingerprint}{path.suffix}"
    return address, StaticContent(content, media_type, FOR_GOOD)


_FILES = {path.name: _read(path) for path in sorted(FOLDER.iterdir())}
_BY_ADDRESS = dict(_FILES.values()) | {
    "/robots.txt": StaticContent(ROBOTS, "text/plain", FOR_A_DAY),
    # Pages name their icon; for all other responses, browsers request this address.
    "/favicon.ico": StaticContent((FOLDER / "icon.svg").read_bytes(), "image/svg+xml", FOR_A_DAY),
}
_OF_ANOTHER_VERSION = {
    name: replace(content, cache_control=NOT_KEPT) for name, (_, content) in _FILES.items()
}


def static_address(name: str) -> str:
    """Return the address of a file in the folder `static`; raises `KeyError`."""
    return _FILES[name][0]


def _file_at(path: str) -> StaticContent | None:
    if file := _BY_ADDRESS.get(path):
        return file
    address = _ADDRESS.fullmatch(path)
    return _OF_ANOTHER_VERSION.get(address[1] + address[2]) if address else None


def serve_static_files(app: WSGIApplication) -> WSGIApplication:
    """Return `app` with the static files in front of it."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        file = _file_at(environ["PATH_INFO"])
        if file is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return app(environ, start_response)
        environ[ROUTE_KEY] = "/static"
        status, headers, body = file.answer(
            environ.get("HTTP_ACCEPT_ENCODING", ""), environ.get("HTTP_IF_NONE_MATCH", "")
        )
        if status == HTTPStatus.OK:
            headers["Content-Type"] = f"{file.media_type}; charset=utf-8"
            headers["Content-Length"] = str(len(body))
        start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
        return [body]

    return serve
