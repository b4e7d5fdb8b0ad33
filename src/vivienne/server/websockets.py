"""The WebSocket endpoints: `/ws/state`, `/ws/logs` and `/ws/alerts`."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from starlette.websockets import WebSocket  # noqa: TC002  # FastAPI reads the annotation

from vivienne.access.limits import Limits
from vivienne.changes.asked import asked_at
from vivienne.channels.envelope import LONGEST_PAUSE, refuse_unknown
from vivienne.channels.json import read_object, too_large
from vivienne.channels.messages import (
    CONFIG_UPDATE,
    ESCAPED,
    UNUSED,
    ConfigMessages,
    is_pause,
    request_id_of,
    short_request_id,
)
from vivienne.channels.replies import error_reply, pong_reply, subscribe_reply
from vivienne.config.flat import MOST_TOLD, and_more, clip, listed, nearest
from vivienne.errors import ChangeRefused, Defect, Forbidden, Malformed, Problem, UnknownTarget
from vivienne.logs.defects import DEFECTS
from vivienne.server.charging import KEEPS
from vivienne.server.conversing import Silence, converse
from vivienne.server.direct import hand_over
from vivienne.server.http import caller_of
from vivienne.server.received import received
from vivienne.server.routes import Routes
from vivienne.server.websocket_addresses import ALERTS, LOGS, STATE
from vivienne.server.websocket_receiving import TOO_LONG
from vivienne.wire.messages import Updates

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from vivienne.access.access import Access
    from vivienne.access.caller import Caller
    from vivienne.access.limits import MessageLimits
    from vivienne.changes.service import ConfigService
    from vivienne.metrics.registry import Metrics, Traffic
    from vivienne.outbox.stream import AlertStream
    from vivienne.server.conversing import Times
    from vivienne.stream.hub import Hub
    from vivienne.stream.logs import LogStream
    from vivienne.stream.mailbox import Mailbox
    from vivienne.stream.state import LatestStates
    from vivienne.wire.messages import Message, SubscribeResponse

_log = logging.getLogger(__name__)
_LEVELS = ("debug", "info", "warning", "error", "critical")
_POLICY_VIOLATION = 1008


def state_endpoint(
    service: ConfigService,
    hub: Hub,
    board: LatestStates,
    times: Times,
    access: Access | None = None,
) -> Callable[[WebSocket], Awaitable[None]]:
    """What takes a WebSocket of states.

    Args:
        service: takes changes.
        hub: fans states out.
        board: has the latest states.
        times: when something is done.
        access: knows what clients may do; None lets everybody do everything.
    """
    changes = ConfigMessages(service, "websocket")

    async def state(websocket: WebSocket) -> None:
        await websocket.accept()
        mailbox = hub.join(keeps=websocket.scope.pop(KEEPS, None), whose=caller_of(websocket).key)
        board.show(mailbox)
        conversation = _Conversation(changes, service, board, mailbox, times, access)
        if hand_over(websocket, times, conversation, mailbox, partial(hub.leave, mailbox)):
            return
        try:
            await converse(websocket, times, conversation, mailbox)
        finally:
            hub.leave(mailbox)

    return state


def websocket_routes(
    state: Callable[[WebSocket], Awaitable[None]], times: Times, logs: LogStream, alerts: AlertStream, metrics: Metrics
) -> Routes:
    """The endpoints.

    Args:
        state: see `state_endpoint`.
        times: when something is done.
        logs: has the latest records.
        alerts: has those for browsers.
        metrics: count messages.
    """
    routes = Routes()
    log_traffic = metrics.traffic("logs")
    for address in (STATE, f"{STATE}/"):
        routes.add_api_websocket_route(address, state)

    @routes.websocket(LOGS)
    @routes.websocket(f"{LOGS}/")
    async def records(websocket: WebSocket) -> None:
        websocket.scope.pop(KEEPS, None)  # records are shared by all readers
        await websocket.accept()
        level = websocket.query_params.get("level", "debug").lower()
        if level not in _LEVELS:
            await websocket.close(_POLICY_VIOLATION, f"level must be one of {', '.join(_LEVELS)}")
            return
        reader = logs.join(logging.getLevelNamesMapping()[level.upper()], log_traffic, caller_of(websocket).key)
        try:
            await converse(websocket, times, Silence(), reader)
        finally:
            logs.leave(reader)

    _add_alerts(routes, alerts, times, metrics.traffic("alerts"))
    return routes


def _add_alerts(routes: Routes, alerts: AlertStream, times: Times, traffic: Traffic) -> None:
    @routes.websocket(ALERTS)
    @routes.websocket(f"{ALERTS}/")
    async def fired(websocket: WebSocket) -> None:
        websocket.scope.pop(KEEPS, None)  # alerts are shared by all readers
        await websocket.accept()
        reader = alerts.join(traffic, caller_of(websocket).key)
        try:
            await converse(websocket, times, Silence(), reader)
        finally:
            alerts.leave(reader)


class _Conversation:
    """Messages of a client of `/ws/state`, and their answers."""

    def __init__(
        self,
        changes: ConfigMessages,
        service: ConfigService,
        board: LatestStates,
        mailbox: Mailbox,
        times: Times,
        access: Access | None = None,
    ) -> None:
        self._changes = changes
        self._budgets = times.messages
        self._requests = times.requests
        self._access = access
        self._limits = access.limits if access else Limits()
        self._service = service
        self._board = board
        self._mailbox = mailbox

    def is_urgent(self, event: Mapping[str, Any], caller: Caller) -> bool:
        """Tell whether a message is a pause, which waits for nothing that the caller sent besides."""
        text: str = event.get("text") or ""
        may_be = '"pause"' in text or ESCAPED in text
        if len(text) > LONGEST_PAUSE or not may_be or not caller.may("tuner"):
            return False
        with self._budgets.charged(caller.key), suppress(ChangeRefused):
            return is_pause(_read(event, self._limits.message))
        return False

    async def hear(self, event: dict[str, Any], caller: Caller) -> None:
        """Answer one message; the connection stays open even if the message is wrong."""
        kind: str | None = None
        request_id: str | None = None
        try:
            with self._budgets.charged(caller.key):
                message = _read(event, self._limits.message)
            asked = received(event)
            event.clear()  # it may be long, and the answer may take a while
            kind, request_id = _text(message.get("type")), request_id_of(message)
            with asked_at(asked):
                answer: Mapping[str, Any] = await self._answer(message, caller)
        except ChangeRefused as refused:
            answer = error_reply(refused, in_reply_to=kind, request_id=request_id)
        except Exception as error:  # noqa: BLE001  # a defect must not cost the client its connection
            DEFECTS.tell(_log, "websocket", "A message of type %s failed", kind, error=error)
            answer = error_reply(Defect(), in_reply_to=kind, request_id=request_id)
        await self._mailbox.reply(answer)

    async def _answer(self, message: Message, caller: Caller) -> Mapping[str, Any]:
        known = (*self._changes.types, "subscribe", "ping")
        kind = message.get("type")
        if kind == "subscribe":
            with self._budgets.charged(caller.key):
                return self._subscribe(message)
        if kind == "ping":
            refuse_unknown(message, ("type", "request_id", *UNUSED))
            return pong_reply(short_request_id(message))
        if _only_validates(message):
            return await self._budgets.charging(caller.key, self._changes.handle(message, caller))
        if kind in self._changes.types:
            if not is_pause(message):
                await self._requests.due(caller.key)
            with self._service.counts.refusals("websocket"):
                self._admit(message, caller)
            return await self._requests.charging(caller.key, self._changes.handle(message, caller))
        if not isinstance(kind, str):
            raise Malformed(f"The message has no type; known types are {', '.join(known)}", path="type")
        raise Malformed(
            f"Unknown type {kind[:100]!r}; the nearest known one is {nearest(kind[:100], known)!r}", path="type"
        )

    def _admit(self, message: Message, caller: Caller) -> None:
        """Refuse a change of a caller without the role, or beyond the limit of changes."""
        if not caller.may("tuner"):
            raise Forbidden(f"The token {caller.token!r} has the role viewer; a change needs the role tuner")
        if self._access is not None and not is_pause(message):
            self._access.count_change(caller)

    def _subscribe(self, message: Message) -> SubscribeResponse:
        refuse_unknown(message, ("type", "assets", "updates", "request_id", *UNUSED))
        request_id, updates = short_request_id(message), _updates(message)
        assets = message.get("assets")
        if not isinstance(assets, list) or not assets or not all(isinstance(asset, str) for asset in assets):
            raise Malformed('assets must be a list of assets, such as ["BTC"], or ["*"] for all', path="assets")
        if len(assets) > self._limits.subscriptions:
            raise Malformed(f"{len(assets):,} assets exceed the limit of {self._limits.subscriptions:,}", path="assets")
        if assets == ["*"]:
            names: list[str] | None = None
        else:
            names = list(dict.fromkeys(asset.upper() for asset in assets))
            unknown = [name for name in names if not self._service.decides(name)]
            if unknown:
                known = listed(self._service.assets)
                told = [
                    Problem("assets", f"Unknown asset {clip(name)!r}; known are {known}")
                    for name in unknown[:MOST_TOLD]
                ]
                raise UnknownTarget([*told, *and_more(unknown)])
        self._mailbox.watch(names, changes=updates == "changes")
        self._board.show(self._mailbox, names)
        return subscribe_reply(names if names is not None else list(self._service.assets), updates, request_id)


def _updates(message: Message) -> Updates | None:
    """The kind of updates that a subscription asks for; None if it does not say, which means whole states."""
    updates: Updates | None = message.get("updates")
    if "updates" in message and updates not in get_args(Updates):
        raise Malformed('updates must be "states" (the default) or "changes"', path="updates")
    return updates


def _only_validates(message: Message) -> bool:
    """Tell whether a message changes nothing, so that it counts as reading."""
    return message.get("type") in CONFIG_UPDATE and message.get("validate_only") is True


def _read(event: Mapping[str, Any], limits: MessageLimits) -> Message:
    if TOO_LONG in event:
        raise too_large(event[TOO_LONG], limits)
    text = event.get("text")
    if text is None:
        raise Malformed("Binary frames are not read; send the JSON as a text frame")
    return read_object(text.encode(), limits)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
