"""The control channel: applies its messages, and publishes their outcomes.

Changes are applied one after the other. Pauses and resumptions wait for none of them, and keep their own order. All is
read as it comes, because Redis drops a subscriber who does not read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING

from vivienne.errors import TooManyRequests
from vivienne.redis.listening import heard

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.redis.control.messages import ControlMessages, Outcome
    from vivienne.redis.control.names import ControlNames


MOST_WAITING, MOST_WAITING_BYTES = 10_000, 8 * 1024 * 1024
"""Changes that wait for those before them, and their bytes; more are refused."""
MOST_AT_ONCE = 256
"""Pauses and resumptions that are applied at once; more of them wait."""


class ControlChannel:
    """Listens to the control channel, in the process that holds the lease.

    Messages of a channel have no numbers, so a repetition could not be noticed. Therefore the subscription begins after
    the lease does, and messages received after the lease has expired are left to the next holder.

    Args:
        messages: applies them.
        names: of the channels.
        held: tells if this process holds the lease at this moment.
    """

    def __init__(self, messages: ControlMessages, names: ControlNames, held: Callable[[], bool]) -> None:
        self._messages = messages
        self._names = names
        self._held = held
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._is_there = asyncio.Event()
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        self._waiting.clear()
        self._bytes, self._room = 0, asyncio.Semaphore(MOST_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            changing = tasks.create_task(self._change(redis))
            async with aclosing(heard(redis, ready, self._names.channel)) as messages:
                async for raw in messages:
                    if raw is None or not self._held():
                        continue
                    if self._messages.is_switch(raw):
                        await self._room.acquire()
                        tasks.create_task(self._switch(redis, raw))
                    elif not self._wait(raw):
                        refused = TooManyRequests(f"{len(self._waiting):,} changes wait on this channel, the limit")
                        await self._publish(redis, self._messages.refuse(refused, None))
                    await asyncio.sleep(0)  # a switch is begun, and others have their turn
            changing.cancel()

    def _wait(self, raw: bytes) -> bool:
        """Let a change wait for its turn; False if there are too many."""
        if len(self._waiting) >= MOST_WAITING or self._bytes + len(raw) > MOST_WAITING_BYTES:
            return False
        self._waiting.append(raw)
        self._bytes += len(raw)
        self._is_there.set()
        return True

    async def _change(self, redis: Redis) -> None:
        """Apply changes one after the other."""
        while True:
            while self._waiting:
                raw = self._waiting.popleft()
                self._bytes -= len(raw)
                if self._held():
                    await self._publish(redis, await self._messages.carry_out(raw))
            self._is_there.clear()
            await self._is_there.wait()

    async def _switch(self, redis: Redis, raw: bytes) -> None:
        try:
            await self._publish(redis, await self._messages.carry_out(raw))
        finally:
            self._room.release()

    async def _publish(self, redis: Redis, outcome: Outcome) -> None:
        await redis.publish(self._names.results, outcome.text)
