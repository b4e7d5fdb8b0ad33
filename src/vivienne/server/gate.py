"""The gate: identifies callers before anything is accepted, and disconnects those whose token is revoked.

A token comes as ``Authorization: Bearer``. Pages cannot set that on a WebSocket, so there it may come as a subprotocol
too: ``vivienne.token.`` and the token, or ``vivienne.ticket.`` and a ticket from ``POST /auth/ticket``, offered beside
``vivienne``, which is the one that is chosen. A token in an address is refused, because addresses end up in logs.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections import Counter
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from vivienne import trace
from vivienne.access.caller import counted_as
from vivienne.access.secrets import SECRET
from vivienne.errors import NotKnown, TooManyRequests
from vivienne.rates import Rate
from vivienne.server.http import CALLER
from vivienne.server.policy import only_reads
from vivienne.server.problems import not_known, problem, too_many
from vivienne.server.staying import STAYS, at_end
from vivienne.wire.token_entry import INCLUDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from vivienne.access.access import Access
    from vivienne.server.staying import Staying
    from vivienne.store.token import Token

_LONG_WORD = re.compile(rb"(?:[A-Za-z0-9_-]|%[0-9A-Fa-f]{2}){47}")
"""As many characters as a token has, encoded or not."""
SUBPROTOCOL = "vivienne"
_MOST_ENCODINGS = 3
"""So many times what is encoded in an address is decoded to look for a token."""
TOKEN_IN, TICKET_IN = f"{SUBPROTOCOL}.token.", f"{SUBPROTOCOL}.ticket."
_ONCE = frozenset({b"authorization", b"content-type", b"if-match", b"idempotency-key"})
_POLICY_VIOLATION = 1008
_BAD_REQUEST = 400
_LAST_WORD_SECONDS = 1.0
"""Seconds a client whose token was revoked gets to read the reason."""


class Gate:
    """ASGI middleware that writes the caller into the scope; the endpoints decide what the caller may do.

    Args:
        app: the application behind it.
        access: identifies callers.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access
        # Attempts of each address, and handshakes of all callers that were let in, so that others cannot use those up.
        self._tried = Rate(access.limits.handshakes_per_second, 1.0, monotonic)
        self._handshakes = Rate(access.limits.handshakes_per_second, 1.0, monotonic)
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        with self._access.requests.charged(f"address {counted_as(_address(scope))}"):
            is_telling = _has_token(scope)
        if is_telling:
            detail = (
                "The address contains a token and ends up in logs: revoke it, and send tokens as Authorization: Bearer"
            )
            refusal = problem(_BAD_REQUEST, "A token in the address", detail, code="token_in_address")
            await refusal(scope, receive, send)
            return
        if (twice := _given_twice(scope)) is not None:
            detail = f"The header {twice} is given more than once; give it once, because readers differ in which counts"
            await problem(_BAD_REQUEST, "A repeated header", detail, code="repeated_header")(scope, receive, send)
            return
        address = _address(scope)
        if scope["type"] == "http":
            scope[CALLER], token = await self._access.caller(address, _bearer(scope))
            trace.caller.set(str(scope[CALLER]))
            if token is None:
                await self._app(scope, receive, send)
            else:
                sending = self._as_long_as_good(scope, receive, send, token)
                await self._app(scope, self._while_good(receive, token), sending)
            return
        whose = counted_as(address)
        if wait := self._tried.take(whose):
            await _too_fast(self._tried, wait)(scope, receive, send)
        elif self._open[whose] >= (most := self._access.limits.connections_per_address):
            await too_many(f"The limit of {most:,} open WebSockets from {address} is reached", 1.0)(
                scope, receive, send
            )
        else:
            with self._counted(whose, scope):
                await self._websocket(scope, receive, send, address)

    def pauses_as(self, scope: Scope, address: str) -> str | None:
        """The name under which a request to pause has its turn: of its token, or its address where none is needed.

        Returns:
            The name, or None if its client may not pause. A token that is not known yet has the turn of other requests.
        """
        secret = _bearer(scope)
        if secret is None:
            return None if self._access.demanded else address
        token = self._access.book.known(secret)
        return None if token is None or "tuner" not in INCLUDED[token.role] else f"token {token.name}"

    def _while_good(self, receive: Receive, token: Token) -> Receive:
        """Check the token again once the whole request has arrived: it may have been revoked in between."""

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                self._check(token)
            return message

        return receiving

    def _as_long_as_good(self, scope: Scope, receive: Receive, send: Send, token: Token) -> Send:
        """Check the token again before each further part of a long answer, as of an export that takes minutes.

        What only reads may have waited for its turn, so it is checked before the first part too, and refused then. What
        was changed is answered as it is.
        """
        is_refused = False

        async def sending(message: Message) -> None:
            nonlocal is_refused
            if is_refused:
                return
            if message["type"] == "http.response.start" and only_reads(scope) and not self._is_good(token):
                is_refused = True
                await not_known(_ending(token))(scope, receive, send)
                return
            if message.get("more_body"):
                self._check(token)
            await send(message)

        return sending

    def _is_good(self, token: Token) -> bool:
        return self._access.book.by_digest(token.digest) is not None

    def _check(self, token: Token) -> None:
        if not self._is_good(token):
            raise NotKnown(_ending(token))

    async def _websocket(self, scope: Scope, receive: Receive, send: Send, address: str | None) -> None:
        try:
            scope[CALLER], token = await self._access.caller(address, *_secrets(scope))
        except TooManyRequests as error:
            await too_many(str(error), error.retry_after)(scope, receive, send)
            return
        trace.caller.set(str(scope[CALLER]))
        if scope[CALLER].role is not None and (wait := self._handshakes.take()):
            await _too_fast(self._handshakes, wait)(scope, receive, send)
            return
        caller, most = scope[CALLER], self._access.limits.websockets_per_caller
        if caller.role is not None and self._open[caller.key] >= most:
            whose = f"of the token {caller.token!r}" if caller.token is not None else f"from {address} without a token"
            await too_many(f"The limit of {most:,} open WebSockets {whose} is reached", 1.0)(scope, receive, send)
            return
        # The application needs neither the secret nor other names, and what is long is not kept with a WebSocket.
        is_offered = SUBPROTOCOL in scope.get("subprotocols", ())
        scope["subprotocols"] = [SUBPROTOCOL] if is_offered else []

        async def choosing(message: Message) -> None:
            if message["type"] == "websocket.accept" and is_offered:
                message = {"subprotocol": SUBPROTOCOL, **{name: value for name, value in message.items() if value}}
            await send(message)

        with self._counted(caller.key, scope):
            if token is None:
                await self._app(scope, receive, choosing)
            else:
                await self._until_revoked(scope, receive, choosing, token)

    async def _until_revoked(self, scope: Scope, receive: Receive, send: Send, token: Token) -> None:
        """Run the application until it ends or the token is revoked; then end it, and the connection.

        It is ended before the close is sent: it may wait for a client that does not read, and have more for it.
        """
        ended = asyncio.Event()
        forget = self._access.book.when_ended(token, ended.set)
        running = asyncio.ensure_future(self._app(scope, receive, send))
        revoked = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait({running, revoked}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
                self._refuse_once_revoked(scope, token)
                return
            running.cancel()
            await asyncio.wait({running})
            with suppress(TimeoutError, OSError):  # it does not read, or has left
                async with asyncio.timeout(_LAST_WORD_SECONDS):
                    await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": _ending(token)})
        finally:
            running.cancel()
            revoked.cancel()
            forget()

    def _refuse_once_revoked(self, scope: Scope, token: Token) -> None:
        """Do the same for a WebSocket that stays open without the application."""
        stays: Staying | None = scope.get(STAYS)
        if stays is not None:
            refuse = stays.refuse
            stays.at_end(self._access.book.when_ended(token, lambda: refuse(_ending(token))))

    @contextmanager
    def _counted(self, whose: str, scope: Scope) -> Iterator[None]:
        self._open[whose] += 1
        try:
            yield
        finally:
            at_end(scope, partial(self._discount, whose))

    def _discount(self, whose: str) -> None:
        self._open[whose] -= 1
        if not self._open[whose]:
            del self._open[whose]


def _ending(token: Token) -> str:
    return f"The token {token.name} {token.ending()}"


def _too_fast(handshakes: Rate, wait: float) -> Response:
    return too_many(f"The limit of {handshakes.most:,} new WebSockets in a second is reached", wait)


def _bearer(scope: Scope) -> str | None:
    """The token in the Authorization header; other schemes are for a proxy in front."""
    kind, _, secret = Headers(scope=scope).get("authorization", "").strip().partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


def _secrets(scope: Scope) -> tuple[str | None, str | None]:
    """The token and the ticket that a handshake comes with."""
    offered: list[str] = scope.get("subprotocols", [])
    return _bearer(scope) or _after(TOKEN_IN, offered), _after(TICKET_IN, offered)


def _has_token(scope: Scope) -> bool:
    """True if the address contains a token, encoded or not, or encoded again."""
    asked: bytes = scope.get("raw_path", b"") + b"?" + scope["query_string"]
    if _LONG_WORD.search(asked) is None:  # to decode it takes ten times as long
        return False
    for _ in range(_MOST_ENCODINGS):
        asked = unquote_to_bytes(asked)
        if SECRET.search(asked.decode("latin-1")) is not None:
            return True
    return False


def _given_twice(scope: Scope) -> str | None:
    """A header that means something here and is given twice."""
    counts = Counter(name for name, _ in scope["headers"] if name in _ONCE)
    return next((name.decode() for name, count in counts.items() if count > 1), None)


def _address(scope: Scope) -> str | None:
    """The address of the caller; None if a proxy gave something else.

    Without the zone of an IPv6 address: that is a name of this machine, or any text of any length.
    """
    client = scope.get("client") or ("", 0)
    address: str = client[0].partition("%")[0]
    try:
        ipaddress.ip_address(address)
    except ValueError:
        scope["client"] = None
        return None
    scope["client"] = address, client[1]
    return address


def _after(prefix: str, offered: list[str]) -> str | None:
    return next((name.removeprefix(prefix) for name in offered if name.startswith(prefix)), None)
