"""Conversing: a WebSocket is read and written at the same time, and its caller has no more time than its share."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from starlette.websockets import WebSocketDisconnect, WebSocketState

from vivienne.server.http import caller_of
from vivienne.stream.waking import ROW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.websockets import WebSocket

    from vivienne.access.budget import TimeBudgets
    from vivienne.access.caller import Caller
    from vivienne.stream.mailbox import Mailbox
    from vivienne.stream.unread import Unread

GOING = 1012
"""Code of a close because the server stops: "service restart"."""
STOPPING = "vivienne.stopping"
"""Key of a disconnection that has not come yet: what there is can still be sent, and then a close with `GOING`."""
AROUND_SECONDS = 0.0002
"""Time that each message takes beside reading it: its turn, and its answer."""
_LOOK_SECONDS = 0.01
"""Time between two looks whether the last messages are sent, when the server stops."""
SENDING_SECONDS = 0.00005
"""Time that sending a message takes."""


@dataclass(frozen=True, slots=True)
class Times:
    """When something is done for a caller.

    Attributes:
        messages: budgets of messages that change nothing.
        requests: budgets of changes, and of what a client gets first.
    """

    messages: TimeBudgets
    requests: TimeBudgets


class Hearing(Protocol):
    """What takes the messages of a client."""

    async def hear(self, event: dict[str, Any], caller: Caller) -> None:
        """Answer one message."""

    def is_urgent(self, event: Mapping[str, Any], caller: Caller) -> bool:
        """Tell whether a message may not wait."""


class Silence:
    """A stream that takes no messages."""

    async def hear(self, _event: dict[str, Any], _caller: Caller) -> None:
        """Leave a message unread."""

    def is_urgent(self, _event: Mapping[str, Any], _caller: Caller) -> bool:
        """Tell whether a message may not wait."""
        return False


async def converse(websocket: WebSocket, times: Times, hearing: Hearing, source: Mailbox | Unread) -> None:
    """Read and write at the same time until the client leaves; the first that ends ends the other.

    Args:
        websocket: is accepted.
        times: when something is done.
        hearing: takes what the client sends.
        source: has what it gets.
    """
    caller = caller_of(websocket)
    is_stopping = False

    async def read() -> None:
        nonlocal is_stopping
        event: Any = await websocket.receive()
        while event["type"] != "websocket.disconnect":
            # One at a time, and no more than the caller has time for: others have their turn between two of them.
            if not hearing.is_urgent(event, caller):
                await times.messages.due(caller.key)
            times.messages.charge(caller.key, AROUND_SECONDS)
            await hearing.hear(event, caller)
            del event  # the next one may never come, and nothing is kept until then
            event = await websocket.receive()
        is_stopping = STOPPING in event

    tasks = {asyncio.create_task(read()), asyncio.create_task(_write(websocket, times, caller.key, source))}
    try:
        done, writing = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        while is_stopping and writing and source.unsent():  # the protocol limits the time
            _, writing = await asyncio.wait(writing, timeout=_LOOK_SECONDS)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        if not task.cancelled() and (failure := task.exception()) is not None:
            raise failure
    # With thousands of clients the protocol may have closed this one in the meantime.
    if is_stopping and websocket.application_state is WebSocketState.CONNECTED:
        with suppress(WebSocketDisconnect):
            await websocket.close(GOING)


async def _write(websocket: WebSocket, times: Times, key: str, source: Mailbox | Unread) -> None:
    """Send what there is. What is there at first is charged: a client may come again and again to get it."""
    first, in_a_row = source.unsent(), 0
    with suppress(WebSocketDisconnect):
        while True:
            if in_a_row == ROW and source.unsent():
                if first > 0:
                    await times.requests.due(key, opens=True)
                await source.turn()
                in_a_row = 0
            elif not source.unsent():
                in_a_row = 0
            # A send waits while the connection cannot take more; until then newer frames replace older ones.
            await websocket.send_text(await source.take())
            source.traffic.sent += 1
            if first > 0:
                times.requests.charge(key, SENDING_SECONDS)
            in_a_row, first = in_a_row + 1, first - 1
