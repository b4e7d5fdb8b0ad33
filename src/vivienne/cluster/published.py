"""What agents publish about states, as other processes read it: anybody who may publish could have written it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

import orjson

from vivienne.redis.publishing import PUBLISHED_BY, STATE
from vivienne.slices import slices_of_loop
from vivienne.times import now
from vivienne.wire.messages import AGENT
from vivienne.wire.numbers import HIGHEST
from vivienne.wire.state import Status

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from redis.asyncio import Redis

MOST_STATE_BYTES = 256 * 1024
"""Longest state. One of an agent has about 10 kB. All of it goes to every client."""
_MOST_LEVELS = 32
"""Nesting of objects and lists; a state has about ten levels."""
_STATUSES = get_args(Status)
_MOST_LOADED = 100
"""States that are read in one call: however long each may be, they fit into one answer."""


class Kept:
    """A state as Redis keeps it, or one that waits until its agent is heard from.

    Args:
        state: the message, whose agent is removed from it.
        waited: seconds since it was published, by the clocks of two machines.
        loaded: the time of the event loop when it came.
    """

    def __init__(self, state: dict[str, Any], waited: float, loaded: float) -> None:
        self.agent = str(state.pop(PUBLISHED_BY, ""))
        self.state = state
        self.waited = waited
        self.loaded = loaded


async def load(redis: Redis, assets: Iterable[str]) -> AsyncGenerator[Kept]:
    """The latest states of these assets, as Redis keeps them; those that are none are left out."""
    loaded, chosen = asyncio.get_running_loop().time(), [*assets]
    slices = slices_of_loop(gives_way=False)
    for place in range(0, len(chosen), _MOST_LOADED):
        some = chosen[place : place + _MOST_LOADED]
        for asset, raw in zip(some, await redis.mget([STATE + asset for asset in some]), strict=True):
            state = None if raw is None or len(raw) > MOST_STATE_BYTES else read(raw)
            if state is not None and state.get("asset") == asset and is_state(state):
                yield Kept(state, seconds_since(state.get("timestamp")), loaded)
            await slices.rest()


def read(raw: bytes | str) -> dict[str, Any] | None:
    """A message; None if it is not a JSON object."""
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return message if isinstance(message, dict) else None


def is_state(message: dict[str, Any]) -> bool:
    """True if a message has the fields that are used here, and is not too deep."""
    return has_fields(message) and not is_deep(message)


def has_fields(message: dict[str, Any]) -> bool:
    """True if a message has the fields that are used here; the others are between agent and client."""
    agents = message.get("agents")
    decided = agents.get(AGENT) if isinstance(agents, dict) else None
    data = decided.get("data") if isinstance(decided, dict) else None
    return (
        message.get("type") == "asset_data"
        and all(is_number(message.get(name)) for name in ("seq", "config_version"))
        and isinstance(data, dict)
        and data.get("status") in _STATUSES
        and _is_pause(data.get("pause"))
        and _is_trouble(data.get("trouble"))
        and all(isinstance(data.get(name), (int, float, NoneType)) for name in ("data_age", "data_age_limit"))
    )


def _is_pause(value: object) -> bool:
    if not isinstance(value, dict):
        return value is None
    version = value.get("version", -1)
    return isinstance(value.get("config_id"), str) and (version is None or is_number(version))


def _is_trouble(value: object) -> bool:
    return value is None or (isinstance(value, dict) and isinstance(value.get("message"), str))


def is_deep(message: dict[str, Any]) -> bool:
    """True if it is nested deeper than any state: then encoding it may fail."""
    level: list[Any] = [message]
    for _ in range(_MOST_LEVELS):
        level = [inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)]
        level = [inner for inner in level if isinstance(inner, (dict, list))]
        if not level:
            return False
    return True


def is_number(value: object) -> bool:
    """True for the numbers of states and versions."""
    return isinstance(value, int) and 0 <= value <= HIGHEST


def seconds_since(timestamp: object) -> float:
    """Seconds since a time on the wire; 0 if it is not valid, or in the future."""
    try:
        return max(0.0, (now() - datetime.fromisoformat(str(timestamp))).total_seconds())
    except (TypeError, ValueError):  # not a time, or without a zone
        return 0.0
