"""Swagger UI for an API's document, with every script served from here."""

from importlib.resources import files
from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from mythoughts_chassis.problems import NotFound

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
    content = msgspec.json.encode(openapi)
    page = _PAGE.format(title=openapi["info"]["title"]).encode()
    static = files("litestar_offline_docs") / "static"
    assets = {
        "start.js": (_START, "text/javascript"),
        "swagger-ui.css": (static.joinpath("swagger-ui.css").read_bytes(), "text/css"),
        "swagger-ui-bundle.js": (
            static.joinpath("swagger-ui-bundle.js").read_bytes(),
            "text/javascript",
        ),
    }

    @get("/schema/openapi.json")
    async def openapi_json() -> Response[bytes]:
        return Response(content, media_type="application/json")

    @get("/schema/swagger")
    async def swagger() -> Response[bytes]:
        return Response(page, media_type="text/html", headers=_HEADERS)

    @get("/schema/assets/{name:str}")
    async def asset(name: str) -> Response[bytes]:
        if name not in assets:
            raise NotFound
        body, media_type = assets[name]
        return Response(body, media_type=media_type, headers=_HEADERS)

    return [openapi_json, swagger, asset]
