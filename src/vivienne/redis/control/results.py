"""Results of control messages. They wait until Redis takes them, and no message waits for them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from vivienne.rates import Quota

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

_log = logging.getLogger(__name__)
_left_out = Quota(_log, logging.WARNING)

MOST_WAITING, MOST_WAITING_BYTES = 10_000, 16 * 1024 * 1024
"""Results that wait, and their bytes; beyond them the oldest ones are left out."""
MOST_AT_ONCE = 64
"""Results that are published in one call."""


class Results:
    """Publishes results in the order in which they came. A `Part` of the link.

    Args:
        channel: where they go.

    Attributes:
        dropped: results that were left out, because too many waited.
    """

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self._filled, self._published = asyncio.Event(), asyncio.Event()
        self.dropped = 0

    def put_refusal(self, written: Callable[[], str]) -> None:
        """Let the result of a message that was too much wait. A flood of such leaves half of the room to others."""
        if 2 * len(self._waiting) > MOST_WAITING or 2 * self._bytes > MOST_WAITING_BYTES:
            self.dropped += 1
        else:
            self.put(written())

    def put(self, text: str) -> None:
        """Let a result wait for its turn; never blocks."""
        self._waiting.append(text)
        self._bytes += len(text)
        while len(self._waiting) > MOST_WAITING or self._bytes > MOST_WAITING_BYTES:
            self._bytes -= len(self._waiting.popleft())
            self.dropped += 1
            _left_out.log("Too many results of control messages wait for Redis; the oldest one is left out")
        self._filled.set()

    async def are_published(self) -> None:
        """Wait until none waits."""
        while self._waiting:
            self._published.clear()
            await self._published.wait()

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        ready()
        while True:
            while self._waiting:
                texts = [self._waiting[place] for place in range(min(MOST_AT_ONCE, len(self._waiting)))]
                async with redis.pipeline(transaction=False) as batch:
                    for text in texts:
                        batch.publish(self._channel, text)
                    await batch.execute()
                # Removed once published: if the connection breaks before, they are sent again.
                for text in texts:
                    if self._waiting and self._waiting[0] is text:
                        self._bytes -= len(self._waiting.popleft())
            self._published.set()
            self._filled.clear()
            await self._filled.wait()
