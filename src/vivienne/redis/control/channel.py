"""The control channel: applies its messages, and publishes their outcomes."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from vivienne.redis.listening import heard

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.redis.control.messages import ControlMessages
    from vivienne.redis.control.names import ControlNames


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

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        async with aclosing(heard(redis, ready, self._names.channel)) as messages:
            async for raw in messages:
                if raw is not None and self._held():
                    outcome = await self._messages.carry_out(raw)
                    await redis.publish(self._names.results, outcome.text)
