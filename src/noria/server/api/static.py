"""The page's files: every path that is neither the API's nor a file is the page itself."""

from __future__ import annotations

import mimetypes
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response

from noria.errors import NotFound

FOLDER = Path(str(files("noria.server"))) / "static"
_API = ("/api/", "/v1/")
_MISSING = (
    "The page has not been built: run `make page` in a source tree, or install Noria from its wheel. "
    "The API answers under /api."
)
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")


def mount(app: FastAPI, folder: Path = FOLDER) -> None:
    """Serve `folder`; must come after all other routes."""
    root = folder.resolve()

    @app.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False, response_model=None)
    def page(request: Request, path: str) -> Response:
        if request.url.path.startswith(_API) or request.url.path == "/api":
            raise NotFound(f"There is nothing at {request.url.path}.")
        if "\0" in path:
            raise NotFound("There is no such file.")
        found = (root / path).resolve()
        if found != root and found.is_relative_to(root) and found.is_file():
            return FileResponse(found, headers={"cache-control": _kept(path)})
        if path.startswith("assets/"):
            raise NotFound(f"There is no file {path}; reload the page.")
        index = root / "index.html"
        if not index.is_file():
            return PlainTextResponse(_MISSING, 503)
        return FileResponse(index, headers={"cache-control": "no-cache"})

    _ = page


def _kept(path: str) -> str:
    """Built files have their digest in the name and never change."""
    return "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
