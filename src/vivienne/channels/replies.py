"""Answers to messages: what a change came to, or why it was refused. Every answer carries the time it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne import trace
from vivienne.times import now, written
from vivienne.wire.messages import AGENT
from vivienne.wire.problem import problem_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.errors import ChangeRefused
    from vivienne.wire.answers import Acknowledgement, Preview, Switched
    from vivienne.wire.messages import ErrorMessage, Message, Pong, SubscribeResponse, Updates


_LONGEST_ECHO = 128
"""Characters of a text of the client that an error sends back; no valid one is longer."""


def outcome_reply(kind: str, outcome: Acknowledgement | Preview | Switched, request_id: str | None) -> Message:
    """The answer to a change, a validation, a pause or a resumption.

    Args:
        kind: type of the message that asked for it.
        outcome: what it came to.
        request_id: of the message, if it had one.
    """
    head = {"type": f"{kind}_response", "agent": AGENT, "asset": outcome["asset_symbol"], "timestamp": written(now())}
    return {**head, **outcome, **_named(request_id)}


def subscribe_reply(assets: list[str], updates: Updates | None, request_id: str | None) -> SubscribeResponse:
    """The answer to a subscription to these assets, with the kind of updates if it named one."""
    reply: SubscribeResponse = {
        "type": "subscribe_response",
        "status": "success",
        "timestamp": written(now()),
        "assets": assets,
    }
    if updates is not None:
        reply["updates"] = updates
    if request_id is not None:
        reply["request_id"] = request_id
    return reply


def pong_reply(request_id: str | None) -> Pong:
    """The answer to a ping."""
    reply: Pong = {"type": "pong", "timestamp": written(now())}
    if request_id is not None:
        reply["request_id"] = request_id
    return reply


def error_reply(refused: ChangeRefused, *, in_reply_to: str | None, request_id: str | None) -> ErrorMessage:
    """The answer to a message that was refused.

    Args:
        refused: what is wrong with it.
        in_reply_to: its type, if it could be read. Of a text that is too long, the beginning is sent back.
        request_id: its request_id, if it had one; the same.
    """
    reply: ErrorMessage = {
        "type": "error",
        "status": "error",
        "timestamp": written(now()),
        "code": refused.code,
        "message": f"{refused.title}: {refused}",
        "errors": [problem_entry(problem) for problem in refused.problems],
        "in_reply_to": None if in_reply_to is None else in_reply_to[:_LONGEST_ECHO],
    }
    if request_id is not None:
        reply["request_id"] = request_id[:_LONGEST_ECHO]
    if (found := trace.trace_id.get()) is not None:
        reply["trace_id"] = found
    return reply


def _named(request_id: str | None) -> Mapping[str, Any]:
    return {} if request_id is None else {"request_id": request_id}
