"""Charging: the time of the event loop that requests take is limited for each caller."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from vivienne.server.http import CALLER
from vivienne.server.policy import READING, is_pause
from vivienne.server.problems import too_many
from vivienne.slices import URGENCY

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from vivienne.access.budget import TimeBudgets
    from vivienne.access.caller import Caller

WAITING = "vivienne.waiting"
"""Key, in the scope of a request that waits for time, or only reads, of a function to call when its client has left."""
LATE = "vivienne.late"
"""Key, in the scope of a handshake, of two functions: to call when it waits for time, and when it goes on."""
KEEPS = "vivienne.keeps"
"""Key, in the scope of a handshake, of a function to call with the bytes of replies that its client has not read."""
_AROUND_SECONDS = 0.0005
"""Time that each request takes outside of the application: reading it, and identifying its caller."""

_LONGEST_WAIT = 30.0
"""Seconds that a request waits at most."""


class Charging:
    """ASGI middleware that begins a request once its caller has time left. A pause is begun at once, and is free.

    One that will be refused, because its caller may not pause, is as any other request.

    Of a WebSocket the handshake is charged; `websockets.py` charges what comes after it.

    Args:
        app: the application behind it.
        budgets: of the time of each caller.
        root: path under which everything is served.
    """

    def __init__(self, app: ASGIApp, budgets: TimeBudgets, root: str = "") -> None:
        self._app = app
        self._budgets = budgets
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on in time."""
        caller: Caller | None = scope.get(CALLER)
        if caller is None or (is_pause(scope, self._root) and caller.may("tuner")):
            if caller is None:
                await self._app(scope, receive, send)
            else:
                await _run_urgently(self._app, scope, receive, send)
            return
        try:
            async with asyncio.timeout(_LONGEST_WAIT):
                is_here = await self._waited(scope, caller.key)
        except TimeoutError:
            detail = f"{caller} uses more time than its share: the request waited for {_LONGEST_WAIT:g} s; send fewer"
            await too_many(detail, 1.0)(scope, receive, send)
            return
        if is_here:
            self._budgets.charge(caller.key, _AROUND_SECONDS)
            with _ended_with_client(scope):
                await self._budgets.charging(caller.key, _run(self._app, scope, receive, send))

    async def _waited(self, scope: MutableMapping[str, Any], key: str) -> bool:
        """Wait until the caller has time left; False if the client has left before."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        is_handshake = scope["type"] == "websocket"
        number = self._budgets.when_due(key, partial(_settle, turn, is_here=True), opens=is_handshake)
        scope[WAITING] = partial(_settle, turn, is_here=False)
        waits, goes_on = scope.pop(LATE, (_do_nothing, _do_nothing))
        waits()
        try:
            return await turn
        finally:
            goes_on()
            scope.pop(WAITING, None)
            self._budgets.forget(key, number)


async def _run_urgently(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass a pause on. Once all of it is there other work goes at a slower pace, until it is answered."""
    with ExitStack() as urgent:

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                urgent.enter_context(URGENCY.under_way())
            return message

        await app(scope, receiving, send)


@contextmanager
def _ended_with_client(scope: MutableMapping[str, Any]) -> Iterator[None]:
    """End a request that only reads when its client leaves: what nobody waits for would keep others waiting."""
    task = asyncio.current_task()
    if task is None or scope.get("method") not in READING:
        yield
        return
    has_left = False

    def leave() -> None:
        nonlocal has_left
        has_left = True
        task.cancel()

    scope[WAITING] = leave
    try:
        yield
    except asyncio.CancelledError:
        if not has_left or task.cancelling() > 1:
            raise  # the program stops
    finally:
        scope.pop(WAITING, None)
        if has_left:
            task.uncancel()


async def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def _do_nothing() -> None:
    """Nobody measures how long it waits."""


def _settle(turn: asyncio.Future[bool], *, is_here: bool) -> None:
    if not turn.done():
        turn.set_result(is_here)
