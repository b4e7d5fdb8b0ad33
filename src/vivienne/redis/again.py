"""A part whose own connection may break off without those of the others."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from vivienne.rates import Quota
from vivienne.redis.link import LOST, is_lost, reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.redis.link import Part

_log = logging.getLogger(__name__)
_breaks = Quota(_log, logging.WARNING)

_SHORTEST_DELAY, _LONGEST_DELAY = 0.02, 0.2
"""Bounds of the delay before it is started again, in seconds: what is published meanwhile is not heard."""


class Again:
    """Starts a part again whose connection broke off, while the link is up. See `vivienne.redis.link.Part`.

    Redis ends the connection of a subscriber for what others publish, once more than it allows waits there. Where Redis
    itself is gone, the link notices by its pings, and ends this with all others.

    Args:
        part: to run.
        what: it does, for the log.
    """

    def __init__(self, part: Part, what: str) -> None:
        self._part = part
        self._what = what

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        while True:
            try:
                await self._part.run(redis, ready)
            except (*LOST, ExceptionGroup) as error:
                if not is_lost(error):
                    raise
                if _is_cancelled():
                    # A library has made an error of the connection of it.
                    raise asyncio.CancelledError from error
                _breaks.log(
                    "The connection to Redis that %s broke off: %s; opening it again", self._what, reason(error)
                )
            await asyncio.sleep(random.uniform(_SHORTEST_DELAY, _LONGEST_DELAY))  # noqa: S311  # no secret


def _is_cancelled() -> bool:
    """Whether the running task was told to end, whatever came of that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
