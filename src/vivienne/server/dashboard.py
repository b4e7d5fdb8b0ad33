"""The dashboard: built files from the package, at `/`.

It is built into ``vivienne/dashboard`` (``make dashboard``) and part of the wheel. Files under ``/static`` carry a hash
of their content in their name, so browsers may cache them for ever; the page itself is requested each time. Its
addresses (``/assets/BTC``, ``/logs``) are views of one page: every navigation of a browser gets it, unless the address
belongs to the server.
"""

from __future__ import annotations

import mimetypes
import os
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002  # FastAPI reads the annotation
from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse
from starlette.staticfiles import StaticFiles

from vivienne.server import problems
from vivienne.server.root_path import path_below, root_of

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.exceptions import HTTPException
    from starlette.responses import Response
    from starlette.types import Scope

BUILT = Path(__file__).parent.parent / "dashboard"
"""Folder of the built files."""

_HEADERS = {
    # Scripts come from this server only, and none is written into a page. Styles may be: the component library puts
    # its variables into the page.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_NOT_PAGES = ("/phoenix/", "/ws/", "/static/", "/docs", "/auth/")

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="dark light"><title>Vivienne</title>
<body style="font: 16px/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem">
<h1>Vivienne is running</h1>
<p>This is a source checkout in which the dashboard has not been built. With Node.js 20.19 or later,
<code>make dashboard</code> builds it; then reload this page. Installed packages contain it.</p>
<p>Everything else works without: the <a href="./docs">REST API</a>, and the streams at <code>/ws/state</code> and
<code>/ws/logs</code>.</p>
"""


def install(app: FastAPI, folder: Path = BUILT) -> None:
    """Serve the dashboard, or say how to build it."""
    page = folder / "index.html"

    async def show(request: Request) -> Response:
        root = root_of(request.scope)
        # Looked for each time: it may be built while the server runs.
        text = page.read_text() if page.is_file() else _NOT_BUILT
        return HTMLResponse(_under(root, text), headers=_HEADERS)

    async def not_found(request: Request, error: HTTPException) -> Response:
        path = path_below(request.scope)
        if request.method in ("GET", "HEAD"):
            beside = _file_named(path.removeprefix("/"), folder)
            if beside is not None:
                return _file(beside)
            if "text/html" in request.headers.get("accept", "") and not path.startswith(_NOT_PAGES):
                return await show(request)
        return await problems.failed(request, error)

    app.add_api_route("/", show, methods=["GET", "HEAD"], include_in_schema=False)
    app.mount("/static", _PackedFiles(directory=folder / "static", check_dir=False))
    app.add_exception_handler(HTTPStatus.NOT_FOUND, not_found)  # type: ignore[arg-type]  # such are HTTPExceptions


def _under(root: str, text: str) -> str:
    """A page whose addresses are those under a path. It is built with relative ones, and served at many addresses."""
    text = text.replace('="./', f'="{root}/')
    return text.replace('<meta name="vivienne-root" content=""', f'<meta name="vivienne-root" content="{root}"')


def _file_named(name: str, folder: Path) -> Path | None:
    """A file by its name, found among the existing ones, because a requested path may not be a valid name."""
    there = folder.iterdir() if folder.is_dir() else ()
    return next((each for each in there if each.name == name and each.is_file()), None)


def _file(path: Path) -> Response:
    return FileResponse(path, headers=_HEADERS)


class _PackedFiles(StaticFiles):
    """Files that never change, sent compressed by the build to clients that accept gzip."""

    async def check_config(self) -> None:
        """Check nothing: without the folder no file is found, and the page says why."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, or its packed twin beside it."""
        name, packed = os.fspath(full_path), Path(f"{os.fspath(full_path)}.gz")
        unpacks = "gzip" in Headers(scope=scope).get("accept-encoding", "") and packed.is_file()
        if unpacks:
            response = super().file_response(packed, packed.stat(), scope, status_code)
            response.headers["Content-Encoding"] = "gzip"
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            response.headers["Content-Type"] = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
        else:
            response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = _FOR_EVER
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
