"""Swagger UI for an API's document, with all scripts served locally."""

import asyncio
from importlib.metadata import distribution
from pathlib import Path
from typing import Annotated, Any

import msgspec
from starlette.responses import Response

from mythoughts_chassis.browser_headers import PAGES
from mythoughts_chassis.endpoints import Endpoint, RequestHeader, get
from mythoughts_chassis.static_content import StaticContent

# Found without an import: the package is made for Django, and imports it.
_SWAGGER_UI = "drf_spectacular_sidecar/static/drf_spectacular_sidecar/swagger-ui-dist"
_HEADERS = {
    # Swagger UI sets style attributes; its images are data URLs.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
    ),
    **dict(PAGES),
}


def swagger_endpoints(openapi: dict[str, Any]) -> list[Endpoint]:
    """Return the endpoints below /schema/."""
    here = Path(__file__).parent
    swagger_ui = Path(str(distribution("drf-spectacular-sidecar").locate_file(_SWAGGER_UI)))
    page = here.joinpath("swagger_page.html").read_text().format(title=openapi["info"]["title"])
    start = here.joinpath("swagger_start.js").read_bytes()
    bundle = swagger_ui.joinpath("swagger-ui-bundle.js").read_bytes()
    styles = swagger_ui.joinpath("swagger-ui.css").read_bytes()
    return [
        _file("openapi.json", msgspec.json.encode(openapi), "application/json"),
        _file("swagger", page.encode(), "text/html"),
        _file("assets/start.js", start, "text/javascript"),
        _file("assets/swagger-ui-bundle.js", bundle, "text/javascript"),
        _file("assets/swagger-ui.css", styles, "text/css"),
    ]


def _file(name: str, content: bytes, media_type: str) -> Endpoint:
    file = StaticContent(content, media_type)

    async def answer(
        accept_encoding: Annotated[str, RequestHeader("Accept-Encoding", {}, ",".join)],
        if_none_match: Annotated[str, RequestHeader("If-None-Match", {}, ",".join)],
    ) -> Response:
        # In a thread, because the first request for a file waits until it is compressed.
        status, headers, body = await asyncio.to_thread(file.answer, accept_encoding, if_none_match)
        return Response(body, status, headers | _HEADERS, media_type if body else None)

    return get(f"/schema/{name}")(answer)
