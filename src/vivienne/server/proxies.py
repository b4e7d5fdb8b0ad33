"""Reverse proxies that the settings do not name.

Without ``--proxies`` a request that a proxy passes on seems to come from the machine of the proxy. Behind a proxy on
this machine everybody would count as local and need no token. A proxy shows itself by the headers it adds.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from vivienne.rates import Quota
from vivienne.server.problems import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_log = logging.getLogger(__name__)

HEADERS = (b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip")
"""Headers that proxies add, in small letters; browsers and programs send none of them."""


class UnnamedProxies:
    """ASGI middleware for a server without ``--proxies``.

    Args:
        app: the application behind it.
        refuse: whether requests of proxies are refused; otherwise they are only reported, once.
    """

    def __init__(self, app: ASGIApp, *, refuse: bool) -> None:
        self._app = app
        self._refuse = refuse
        self._refusals = Quota(_log, logging.WARNING)
        self._reported = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        header = _proxy_header(scope) if scope["type"] in ("http", "websocket") else None
        if header is None:
            await self._app(scope, receive, send)
            return
        address = scope["client"][0] if scope.get("client") else "an unknown address"
        seen = f"A proxy at {address} sends {header}, and is not in --proxies"
        if self._refuse:
            self._refusals.log("%s; its requests are refused, because its clients may be on other machines", seen)
            detail = f"{seen}. Start with --proxies {address} and create a token: its clients may be on other machines"
            refusal = problem(HTTPStatus.FORBIDDEN, "A proxy that is not known", detail, code="unnamed_proxy")
            await refusal(scope, receive, send)
            return
        if not self._reported:
            self._reported = True
            _log.warning("%s; its clients have its address in the history, and share its limits", seen)
        await self._app(scope, receive, send)


def _proxy_header(scope: Scope) -> str | None:
    return next((name.decode() for name, _ in scope["headers"] if name in HEADERS), None)
