"""Heartbeats: each agent reports twice a second that it is alive, what it decides, and its troubles."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from typing import TYPE_CHECKING, Annotated, NotRequired

import orjson
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from vivienne.wire.numbers import HIGHEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

AGENTS = "vivienne:agents"
"""Channel of the heartbeats."""
HEARTBEAT_SECONDS = 0.5
SILENT_SECONDS = 3.0
"""Time without a heartbeat after which an agent counts as dead."""

LONGEST_NAME = 100
"""Of an agent: it has its host in it, which has 64 characters at most."""
Name = Annotated[str, Field(max_length=LONGEST_NAME)]
ALIKE = frozenset((
    "--alert-hosts", "--alert-key", "--evaluate-on", "--exchange", "--market-begin", "--max-position-size", "--quote",
    "--require-full-history", "--seed", "--speed", "--window",
))  # fmt: skip
"""Flags that all agents should have alike, beside `--feed` and `--timeframe`."""
Setting = Annotated[str, Field(max_length=1_000)]
_LATEST = 253_402_300_799_999
"""The end of the year 9999."""
MOST_BYTES = 256 * 1024
"""Length of a heartbeat; that of an agent with 10,000 assets is below half of it."""


class Newest(TypedDict):
    """The newest revision that a process follows: version 0 and no name where its database has none."""

    version: Annotated[int, Field(ge=0, le=HIGHEST)]
    config_id: Annotated[str, Field(max_length=100)] | None


class Heartbeat(TypedDict):
    """A heartbeat.

    Attributes:
        agent: its name; names of later started agents sort later.
        shard: number and count of agents, as in ``1/2``.
        assets: those it decides.
        feed: name of the source of its market data.
        timeframe: of its bars.
        troubles: assets that cannot be decided, and why.
        settings: by flag, those that all agents should have alike; earlier versions send none.
        newest: the newest revision that it follows; earlier versions do not say it.
        time: of its clock, in milliseconds since 1970; earlier versions do not say it.
        changes: true if it publishes what changed in its states; earlier versions publish whole ones only.
    """

    agent: Name
    shard: Name
    assets: list[str]
    feed: Name
    timeframe: Name
    troubles: dict[str, str]
    settings: NotRequired[dict[Name, Setting]]
    newest: NotRequired[Newest]
    time: NotRequired[Annotated[int, Field(ge=0, le=_LATEST)]]
    changes: NotRequired[bool]


_adapter = TypeAdapter(Heartbeat)


def read_heartbeat(raw: bytes) -> Heartbeat | None:
    """A heartbeat as received; None if it is not valid."""
    if len(raw) > MOST_BYTES:
        return None
    try:
        return _adapter.validate_json(raw)
    except ValidationError:
        return None


def agent_name() -> str:
    """A name for this process that sorts after those of processes that started earlier."""
    return f"{time.time_ns() // 1_000_000:013d}-{socket.gethostname()}-{uuid.uuid4().hex[:8]}"


class HeartbeatPublisher:
    """Publishes the heartbeats of one agent.

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
