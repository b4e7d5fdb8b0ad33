"""Who may use the server from a browser: a page must not reach an agent on the viewer's own machine unasked.

A browser says in ``Origin`` whose page speaks. Allowed are pages of this machine (localhost in any spelling and port),
of the server itself, and of the origins in the settings; programs send no ``Origin`` and are not concerned. While the
server listens on this machine only, ``Host`` must be of this machine too: a foreign name that resolves to 127.0.0.1
(DNS rebinding) would otherwise make a foreign page look like the server's own. The hosts of allowed origins pass too,
for a proxy in front. WebSockets are checked as well; browsers let any page open them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware

from vivienne.server.problems import problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_LOCAL_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?"
_FORBIDDEN, _MISDIRECTED = 403, 421


class OriginGuard:
    """ASGI middleware that refuses what comes from elsewhere, before anything is accepted.

    Args:
        app: what it guards.
        origins: whose pages may use the server, beyond those of this machine and of the server itself.
        local_only: whether the server listens on this machine only.
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str], local_only: bool) -> None:
        self._app = app
        self._origins = frozenset(origins)
        # A reverse proxy on this machine hands the name of the page's server on.
        self._hosts = LOCAL_HOSTS | {urlsplit(origin).hostname for origin in origins}
        self._local_only = local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._local_only and host_name(host) not in self._hosts:
            detail = f"This server answers to localhost, not to {host[:100]!r}"
            await problem(_MISDIRECTED, "Wrong host", detail, code="wrong_host")(scope, receive, send)
        elif origin is not None and not self._allowed(origin, host):
            detail = f"Pages of {origin[:100]!r} may not use this server; --origins allows more"
            await problem(_FORBIDDEN, "Wrong origin", detail, code="wrong_origin")(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _allowed(self, origin: str, host: str) -> bool:
        if origin.lower() in self._origins:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        if parts.scheme not in ("http", "https"):
            return False
        return parts.hostname in LOCAL_HOSTS or parts.netloc.lower() == host.lower()


def host_name(host: str) -> str | None:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def guarded(app: ASGIApp, *, origins: Collection[str], local_only: bool) -> ASGIApp:
    """The application behind the guard; pages of allowed origins may read its answers (CORS)."""
    shared = CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_origin_regex=_LOCAL_ORIGIN,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-Match", "Idempotency-Key"],
        expose_headers=["ETag", "Retry-After", "WWW-Authenticate"],
    )
    return OriginGuard(shared, origins=origins, local_only=local_only)
