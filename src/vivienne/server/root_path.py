"""The path under which a reverse proxy serves everything: `--root-path /vivienne`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class UnderPath:
    """ASGI middleware that serves an application under a path, whether the proxy passes the path on or removes it.

    Args:
        app: the application behind it.
        root: the path, without a slash at the end.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the path in the form that ASGI wants: whole, and told apart in ``root_path``."""
        if scope["type"] in ("http", "websocket"):
            path: str = scope["path"]
            # In place: the protocol looks into the same scope for the caller.
            scope["root_path"] = self._root
            scope["path"] = (
                path if path.startswith(f"{self._root}/") else self._root + (path if path != self._root else "/")
            )
        await self._app(scope, receive, send)


def under(root: str, app: ASGIApp) -> ASGIApp:
    """The application under a path; without one, as it is."""
    return UnderPath(app, root) if root else app


def root_of(scope: Scope) -> str:
    """The path under which everything is served; empty for none."""
    # A mount, such as that of the static files, adds its own path to `root_path`.
    root: str = scope.get("app_root_path", scope.get("root_path", ""))
    return root


def path_below(scope: Scope) -> str:
    """The path of a request without the one under which everything is served."""
    path: str = scope["path"]
    return path.removeprefix(root_of(scope))
