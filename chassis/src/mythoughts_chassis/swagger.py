"""Swagger UI for an API's document, with all scripts served locally."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from mythoughts_chassis.problems import NotFound
from mythoughts_chassis.static_content import StaticContent

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/schema/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/schema/assets/swagger-ui-bundle.js"></script>
<script src="/schema/assets/start.js"></script>
</body>
</html>
"""
_START = b"""SwaggerUIBundle({
  url: "/schema/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
});
"""
_HEADERS = {
    # Swagger UI sets style attributes; its images are data URLs.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


def swagger_handlers(openapi: dict[str, Any]) -> list[HTTPRouteHandler]:
    """Return the handlers below /schema/."""
    document = StaticContent(msgspec.json.encode(openapi), "application/json")
    page = StaticContent(_PAGE.format(title=openapi["info"]["title"]).encode(), "text/html")
    static = files("litestar_offline_docs") / "static"
    assets = {
        "start.js": StaticContent(_START, "text/javascript"),
        "swagger-ui.css": StaticContent(static.joinpath("swagger-ui.css").read_bytes(), "text/css"),
        "swagger-ui-bundle.js": StaticContent(
            static.joinpath("swagger-ui-bundle.js").read_bytes(), "text/javascript"
        ),
    }

    # In threads, because the first request for a file waits until it is compressed.
    @get("/schema/openapi.json", sync_to_thread=True)
    def openapi_json(request: Request[Any, Any, Any]) -> Response[Any]:
        return _answer(request, document)

    @get("/schema/swagger", sync_to_thread=True)
    def swagger(request: Request[Any, Any, Any]) -> Response[Any]:
        return _answer(request, page, _HEADERS)

    @get("/schema/assets/{name:str}", sync_to_thread=True)
    def asset(request: Request[Any, Any, Any]) -> Response[Any]:
        name = request.path_params["name"]
        if name not in assets:
            raise NotFound
        return _answer(request, assets[name], _HEADERS)

    return [openapi_json, swagger, asset]


def _answer(
    request: Request[Any, Any, Any],
    content: StaticContent,
    own_headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    accept_encoding, if_none_match = (
        ",".join(request.headers.getall(name, [])) for name in ("accept-encoding", "if-none-match")
    )
    status, headers, body = content.answer(accept_encoding, if_none_match)
    return Response(
        body or None,
        status_code=status,
        media_type=content.media_type,
        headers=headers | dict(own_headers or {}),
    )
