"""Origins whose pages may use the server: a page must not reach an agent on the machine of its viewer.

A browser sends the origin of a page in ``Origin``. Allowed are pages of this machine (localhost with any port), of the
server itself, and of the origins in the settings; programs send no ``Origin`` and are not checked. ``Host`` must be
a name that nobody else can point at this server: a foreign one that resolves to 127.0.0.1 (DNS rebinding) would make a
foreign page look like the server's own.
Where everybody needs a token, any name is accepted, because such a page has no token.
WebSockets are checked as well; browsers let any page open them.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware

from vivienne.server.problems import problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Hosts = Literal["local", "addresses", "any"]
"""Names the server answers to: those of this machine; any address as well; any name."""
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
# As browsers write them: in small letters, without a user, a path, or a dot at the end.
_LOCAL_ORIGIN = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
_HOST = re.compile(r"(?:([A-Za-z0-9._-]+)|\[([0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?")
_FORBIDDEN, _MISDIRECTED = 403, 421


class OriginGuard:
    """ASGI middleware that refuses requests of foreign pages before anything is accepted.

    Args:
        app: the application behind it.
        origins: those allowed besides this machine and the server itself.
        hosts: names the server answers to, besides those of the origins.
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str], hosts: Hosts) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._names = frozenset(urlsplit(origin).hostname for origin in origins)
        self._hosts: Hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        await (self._app(scope, receive, _protected(send)) if refusal is None else refusal(scope, receive, send))

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request of a foreign page, or None. The headers are not kept with a WebSocket."""
        headers = Headers(scope=scope)
        host, origins = _only(headers.getlist("host")), headers.getlist("origin")
        if not self._is_ours(host):
            detail = f"This server answers to {self._answers_to()}, not to {host[:100]!r}; --origins allows more"
            return problem(_MISDIRECTED, "Wrong host", detail, code="wrong_host")
        if origins and not self._allowed(_only(origins), scope["scheme"], host):
            detail = f"Pages of {', '.join(origins)[:100]!r} may not use this server; --origins allows more"
            return problem(_FORBIDDEN, "Wrong origin", detail, code="wrong_origin")
        if not origins and _is_embedded(headers):
            detail = "Pages of other sites may link to this server, but load nothing from it"
            return problem(_FORBIDDEN, "Wrong origin", detail, code="wrong_origin")
        return None

    def _is_ours(self, host: str) -> bool:
        name = host_name(host)
        if self._hosts == "any":
            return name is not None or not host  # old programs send none
        return name is not None and (
            name in LOCAL_HOSTS or name in self._names or (self._hosts == "addresses" and _is_address(name))
        )

    def _answers_to(self) -> str:
        return {"local": "localhost", "addresses": "localhost and addresses", "any": "one host"}[self._hosts]

    def _allowed(self, origin: str, scheme: str, host: str) -> bool:
        if origin in self._origins or _LOCAL_ORIGIN.fullmatch(origin):
            return True
        if host_name(host) in self._names:
            return False  # the settings say in full which origin that is: its scheme too
        return origin == f"{'https' if scheme in ('https', 'wss') else 'http'}://{host.lower()}"


def _is_embedded(headers: Headers) -> bool:
    """True if a browser loads this for a page of another site without an ``Origin``, such as a picture."""
    return headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate"


def _protected(send: Send) -> Send:
    """Add headers that forbid frames in foreign pages (clickjacking) and guessing the kind of a file."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = MutableHeaders(raw=message["headers"])
            kept.setdefault("X-Content-Type-Options", "nosniff")
            kept.setdefault("Content-Security-Policy", "frame-ancestors 'none'")
            message["headers"] = kept.raw
        await send(message)

    return sending


def _only(values: list[str]) -> str:
    """The only value of a header. Several become one that is never allowed: the next reader may choose another."""
    return values[0] if len(values) == 1 else ", ".join(values)


def host_name(host: str) -> str | None:
    """The name in a Host header, without its port; None if it is not a host."""
    found = _HOST.fullmatch(host)
    return None if found is None else (found[1] or found[2]).lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def guarded(app: ASGIApp, *, origins: Collection[str], hosts: Hosts) -> ASGIApp:
    """The application behind the guard; pages of allowed origins may read its answers (CORS)."""
    shared = CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_origin_regex=_LOCAL_ORIGIN.pattern,
        allow_methods=["GET", "HEAD", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-Match", "Idempotency-Key", "X-Request-ID"],
        expose_headers=["ETag", "Retry-After", "WWW-Authenticate", "X-Request-ID"],
    )
    return OriginGuard(shared, origins=origins, hosts=hosts)
