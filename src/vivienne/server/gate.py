"""The gate: finds out who asks before anything is accepted, and shows out those whose token is revoked.

A token comes as ``Authorization: Bearer``. Pages cannot set that on a WebSocket, so there it may come as a subprotocol
too: ``vivienne.token.`` and the token, or ``vivienne.ticket.`` and a ticket from ``POST /auth/ticket``, offered beside
``vivienne``, which is the one that is chosen. Never in an address: those end up in logs.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from vivienne.access.rates import Rate
from vivienne.access.tokens import PREFIX, SECRET
from vivienne.config.channels.rest import CALLER
from vivienne.server.problems import problem, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from vivienne.access.access import Access
    from vivienne.access.tokens import Token

SUBPROTOCOL = "vivienne"
TOKEN_IN, TICKET_IN = f"{SUBPROTOCOL}.token.", f"{SUBPROTOCOL}.ticket."
_POLICY_VIOLATION = 1008
_BAD_REQUEST = 400


class Gate:
    """ASGI middleware that writes into the scope who asks; what that one may do is up to the endpoints.

    Args:
        app: what it guards.
        access: tells callers apart.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access
        self._handshakes = Rate(access.limits.handshakes_per_second, 1.0, monotonic)
        self._open: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if PREFIX.encode() in scope["query_string"] and SECRET.search(scope["query_string"].decode("latin-1")):
            detail = "A token in an address ends up in logs: revoke it, and send the next one as Authorization: Bearer"
            refusal = problem(_BAD_REQUEST, "A token in the address", detail, code="token_in_address")
            await refusal(scope, receive, send)
            return
        address = scope["client"][0] if scope.get("client") else None
        if scope["type"] == "http":
            scope[CALLER], _ = await self._access.caller(address, _bearer(scope))
            await self._app(scope, receive, send)
            return
        if wait := self._handshakes.take():
            detail = f"More than {self._handshakes.most:,} WebSockets were opened in a second"
            await too_many(detail, wait)(scope, receive, send)
            return
        most = self._access.limits.connections_per_address
        if self._open.get(address or "", 0) >= most:
            detail = f"{most:,} WebSockets are open from {address}, which is as many as may be"
            await too_many(detail, 1.0)(scope, receive, send)
            return
        with self._counted(address or ""):
            await self._websocket(scope, receive, send, address)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send, address: str | None) -> None:
        offered: list[str] = scope.get("subprotocols", [])
        secret = _bearer(scope) or _after(TOKEN_IN, offered)
        scope[CALLER], token = await self._access.caller(address, secret, _after(TICKET_IN, offered))
        # What is behind need not know what was shown here.
        scope["subprotocols"] = [name for name in offered if not name.startswith((TOKEN_IN, TICKET_IN))]

        async def choosing(message: Message) -> None:
            if message["type"] == "websocket.accept" and SUBPROTOCOL in offered:
                message = {"subprotocol": SUBPROTOCOL, **{name: value for name, value in message.items() if value}}
            await send(message)

        if token is None:
            await self._app(scope, receive, choosing)
        else:
            await self._until_revoked(scope, receive, choosing, token)

    async def _until_revoked(self, scope: Scope, receive: Receive, send: Send, token: Token) -> None:
        """Pass on; once the token is revoked, the connection ends for both sides."""
        revoked = asyncio.create_task(self._access.book.revocation(token).wait())
        hearing: asyncio.Task[Message] | None = None

        async def receiving() -> Message:
            nonlocal hearing
            hearing = hearing or asyncio.ensure_future(receive())
            await asyncio.wait({hearing, revoked}, return_when=asyncio.FIRST_COMPLETED)
            if revoked.done():
                reason = f"The token {token.name} was revoked"
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": reason})
                return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION, "reason": reason}
            heard, hearing = hearing, None
            return heard.result()

        try:
            await self._app(scope, receiving, send)
        finally:
            for task in (revoked, hearing):
                if task is not None:
                    task.cancel()

    @contextmanager
    def _counted(self, address: str) -> Iterator[None]:
        self._open[address] = self._open.get(address, 0) + 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


def _bearer(scope: Scope) -> str | None:
    """The token in the Authorization header; other kinds of authorization are for a proxy in front."""
    kind, _, secret = Headers(scope=scope).get("authorization", "").strip().partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


def _after(prefix: str, offered: list[str]) -> str | None:
    return next((name.removeprefix(prefix) for name in offered if name.startswith(prefix)), None)
