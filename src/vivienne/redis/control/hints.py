"""Hints that another process has made a change, which is in the store."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from vivienne.redis.listening import heard

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.changes.service import ConfigService


class ChangeHints:
    """Passes every message on the channel of changes on as a hint, and one for those missed before it listened.

    Args:
        service: reads the store at a hint.
        channel: where changes are published.
    """

    def __init__(self, service: ConfigService, channel: str) -> None:
        self._service = service
        self._channel = channel

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""

        def subscribed() -> None:
            self._service.hint()
            ready()

        async with aclosing(heard(redis, subscribed, self._channel)) as changes:
            async for raw in changes:
                if raw is not None:
                    self._service.hint()
