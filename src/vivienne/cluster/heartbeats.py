"""Signs of life: each agent says every second that it is there, what it decides, and how that goes."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from typing import TYPE_CHECKING

import orjson
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

AGENTS = "vivienne:agents"
"""Channel of the signs of life."""
HEARTBEAT_SECONDS = 0.5
SILENT_SECONDS = 3.0
"""After so long without one an agent counts as gone."""


class Heartbeat(TypedDict):
    """A sign of life.

    Attributes:
        agent: its name; names of agents that began later sort later.
        shard: which one of how many, as in ``1/2``.
        assets: which it decides.
        feed: where its market data comes from.
        timeframe: of its bars.
        troubles: assets that cannot be decided, and why.
    """

    agent: str
    shard: str
    assets: list[str]
    feed: str
    timeframe: str
    troubles: dict[str, str]


_adapter = TypeAdapter(Heartbeat)


def read_heartbeat(raw: bytes) -> Heartbeat | None:
    """A sign of life as it came; None for what is none."""
    try:
        return _adapter.validate_json(raw)
    except ValidationError:
        return None


def agent_name() -> str:
    """A name for this process that sorts after those of processes that began earlier."""
    return f"{time.time_ns() // 1_000_000:013d}-{socket.gethostname()}-{uuid.uuid4().hex[:8]}"


class HeartbeatPublisher:
    """Sends the signs of life of one agent.

    Args:
        beat: gives the next one.
    """

    def __init__(self, beat: Callable[[], Heartbeat]) -> None:
        self._beat = beat

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        while True:
            await redis.publish(AGENTS, orjson.dumps(self._beat()))
            ready()
            await asyncio.sleep(HEARTBEAT_SECONDS)
