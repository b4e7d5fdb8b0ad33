"""Agents of earlier versions, which publish whole states only, beside those that publish changes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from vivienne.redis.backlog import Backlog
from vivienne.redis.listening import heard_on
from vivienne.redis.publishing import STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.cluster.gateway import Gateway


class EarlierAgents:
    """Listens to the whole states of the assets that agents of earlier versions decide, while there are any.

    Args:
        gateway: takes them, and knows the assets.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        ready()
        try:
            while True:
                if assets := self._gateway.earlier:
                    await self._follow(redis, assets)
                else:
                    self._gateway.earlier_changed.clear()
                    await self._gateway.earlier_changed.wait()
        finally:
            self._gateway.followed_whole = frozenset()

    async def _follow(self, redis: Redis, assets: frozenset[str]) -> None:
        """Listen to the states of these assets until they are others."""
        gateway, listening, backlog = self._gateway, asyncio.Event(), Backlog(asyncio.get_running_loop().time)
        channels = (STATE + asset for asset in sorted(assets))
        async with aclosing(heard_on(redis, listening.set, *channels, backlog=backlog)) as messages:
            async for message in messages:
                if listening.is_set():
                    listening.clear()
                    gateway.followed_whole = assets
                    await gateway.read_again(redis, assets)
                if message is not None:
                    gateway.take(*message, backlog.waited)
                if gateway.earlier is not assets:
                    break
        gateway.followed_whole = frozenset()
