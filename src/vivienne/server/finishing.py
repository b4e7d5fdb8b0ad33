"""Finishing: the changes that a stop waits for, and the answer to a request that it does not wait for.

uvicorn answers a request that it cancels with a plain 500, which reads as a defect, and as if nothing had been changed.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from vivienne import trace
from vivienne.errors import NotStored
from vivienne.server.policy import is_change
from vivienne.server.problems import problem

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Finishing:
    """ASGI middleware that counts the changes under way, and answers a request that is cancelled.

    Args:
        app: the application behind it.

    Attributes:
        changes: requests to change something that have arrived whole and are not answered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.changes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        changes, has_begun, counted = is_change(scope), False, 0

        def count(number: int) -> None:
            nonlocal counted
            self.changes += number - counted
            counted = number

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body") and not has_begun:
                count(int(changes))
            return message

        async def sending(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            count(0)  # it is made; its client may never read the answer
            await send(message)

        if not _has_body(scope):  # it may never be asked for
            count(int(changes))
        try:
            await self._app(scope, receiving, sending)
        except asyncio.CancelledError:
            if has_begun:
                raise
            await _cancelled(is_change=changes)(scope, receive, send)
        finally:
            count(0)


def _has_body(scope: Scope) -> bool:
    named = dict(scope["headers"])
    return b"transfer-encoding" in named or named.get(b"content-length", b"0") != b"0"


def _cancelled(*, is_change: bool) -> Response:
    headers = {} if (found := trace.trace_id.get()) is None else {trace.HEADER: found}
    if is_change:
        detail = (
            "Vivienne is stopping, and the store has not answered; the change may still be made. Send it again with "
            "the same request_id to find out, or look at the history"
        )
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, NotStored.title, detail, code=NotStored.code, headers=headers)
    return stopping("Vivienne is stopping, and this took too long to answer; retry in a moment", headers)


def stopping(detail: str, headers: dict[str, str] | None = None) -> Response:
    """The answer to what is not begun, or not finished, because the server stops."""
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "Vivienne is stopping", detail, code="stopping", headers=headers)
