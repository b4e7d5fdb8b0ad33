"""Messages as they go out on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from vivienne.errors import ChangeRefused

AGENT = "VivienneAgent"
"""Name of the agent in messages."""

Message = dict[str, Any]


def encode(message: Message) -> str:
    """A message as JSON text."""
    return orjson.dumps(message).decode()


def asset_data(asset: str, *, seq: int, timestamp: str, data: Message, config: Message, config_version: int) -> Message:
    """The state of one asset: the decision and the configuration it was made with."""
    return {
        "type": "asset_data",
        "asset": asset,
        "timestamp": timestamp,
        "seq": seq,
        "config_version": config_version,
        "agents": {AGENT: {"data": data, "config": config}},
    }


def error(refused: ChangeRefused, *, in_reply_to: str | None, request_id: str | None) -> Message:
    """What was wrong with a message, to the one who sent it."""
    message: Message = {
        "type": "error",
        "code": refused.code,
        "message": f"{refused.title}: {refused}",
        "errors": [problem.as_document() for problem in refused.problems],
        "in_reply_to": in_reply_to,
    }
    if request_id is not None:
        message["request_id"] = request_id
    return message
