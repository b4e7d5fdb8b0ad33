"""States and configuration changes, published in Redis for any program to follow.

A state goes to the channel ``vivienne:state:<ASSET>`` and to the key of the same name, where it stays for half a
minute: a reader of the key is not told that the agent has ended. A change of the configuration goes to
``vivienne:config``. One agent of several also publishes what changed in its states, many assets in one message, on
``vivienne:states_changed``, which gateways follow. Redis is one more client of the hub: while it is slow, a newer state
replaces the older one, so nothing queues up. Each new connection publishes the latest states again.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import nullcontext
from typing import TYPE_CHECKING

from vivienne.redis.client import execute_though_full
from vivienne.wire.messages import AGENT, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from redis.asyncio import Redis

    from vivienne.stream.frame import Frame
    from vivienne.stream.hub import Hub
    from vivienne.stream.mailbox import Mailbox
    from vivienne.stream.state import StateBoard
    from vivienne.wire.messages import ConfigChanged

STATE = "vivienne:state:"
"""Prefix of the name of an asset: its channel, and the key of its latest state."""
KEPT_MS = 30_000
"""Time for which a key keeps a state. Each is published every ten seconds at least, unless its market has ended."""
STATES_CHANGED = "vivienne:states_changed"
"""Channel of what changed in the states of agents."""
MOST_IN_BATCH = 100
"""States in one message of that channel: a gateway takes a few milliseconds for them, and then others have a turn."""
_LONG_BATCH = 128 * 1024
"""Length of such a message from which on nothing more is added."""
PUBLISHED_BY = "published_by"
"""Field that one agent of several adds to what it publishes: its name."""
CONFIG = "vivienne:config"
MOST_CHANGES = 1_000
"""Changes that wait for a connection; beyond it the oldest are dropped. They are hints: the store has all of them."""


class StatePublisher:
    """Publishes every state, and keeps the latest one.

    Args:
        hub: where states come from.
        board: has the latest ones.
        agent: name of the agent, where it is one of several.
        is_replaced: tells if another agent publishes the states of these assets now.
    """

    def __init__(
        self,
        hub: Hub,
        board: StateBoard,
        agent: str | None = None,
        is_replaced: Callable[[], bool] = lambda: False,
    ) -> None:
        self._hub = hub
        self._board = board
        self._agent = agent
        self._signature = "" if agent is None else f',"{PUBLISHED_BY}":{json.dumps(agent)}}}'
        self._is_replaced = is_replaced

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        mailbox = self._hub.join("redis")
        self._board.show(mailbox)
        try:
            with nullcontext() if self._agent is None else self._hub.followed():
                await self._publish(mailbox, redis, ready)
        finally:
            self._hub.leave(mailbox)

    async def _publish(self, mailbox: Mailbox, redis: Redis, ready: Callable[[], None]) -> None:
        sent: dict[str, int] = {}
        while True:
            frames = mailbox.take_frames()
            if frames and not self._is_replaced():
                async with redis.pipeline(transaction=False) as batch:
                    for asset, frame in frames.items():
                        text = self._signed(frame.text)
                        batch.set(STATE + asset, text, px=None if _is_last(frame) else KEPT_MS)
                        batch.publish(STATE + asset, text)
                    if self._agent is not None:
                        for text in _batches(self._agent, _changes(frames, sent)):
                            batch.publish(STATES_CHANGED, text)
                    if not await execute_though_full(batch):
                        sent.clear()  # gateways find no whole states there, so they get them
                mailbox.traffic.sent += len(frames)
            ready()
            await mailbox.filled()

    def _signed(self, text: str) -> str:
        """A state with the name of its agent; the text is JSON of an object that is not empty."""
        return text[:-1] + self._signature if self._signature else text


def _is_last(frame: Frame) -> bool:
    """True if no state follows because the market is over; it stays."""
    return frame.message["agents"][AGENT]["data"]["status"] == "ended"


def _changes(frames: Mapping[str, Frame], sent: dict[str, int]) -> Iterator[str]:
    """What changed since the states with the numbers in `sent`, which become those of these states."""
    for asset, frame in frames.items():
        base, sent[asset] = sent.get(asset), frame.message["seq"]
        yield frame.since(base)


def _batches(agent: str, changes: Iterable[str]) -> Iterator[str]:
    """The messages with all changes; none is much longer, or holds up who takes it."""
    head = f'{{"type":"states_changed","{PUBLISHED_BY}":{json.dumps(agent)},"states":['
    batch: list[str] = []
    size = 0
    for text in changes:
        if batch and (len(batch) == MOST_IN_BATCH or size + len(text) > _LONG_BATCH):
            yield f"{head}{','.join(batch)}]}}"
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield f"{head}{','.join(batch)}]}}"


class ChangePublisher:
    """Publishes configuration changes in the order in which they came into force."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque(maxlen=MOST_CHANGES)
        self._filled = asyncio.Event()

    def take(self, change: ConfigChanged) -> None:
        """Queue a change that came into force; never blocks."""
        self._waiting.append(encode(change))
        self._filled.set()

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        ready()
        while True:
            while self._waiting:
                # Removed once published: if the connection breaks here it is sent again, which does no harm to a hint.
                text = self._waiting[0]
                await redis.publish(CONFIG, text)
                if self._waiting and self._waiting[0] is text:
                    self._waiting.popleft()
            self._filled.clear()
            await self._filled.wait()
