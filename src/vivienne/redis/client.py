"""A Redis client whose every call has a time limit, and that never reconnects by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from typing_extensions import override

from vivienne.slices import SharedSlices

CALL_SECONDS = 5.0
"""Longest time of a call; longer than the longest blocking read."""
CONNECT_SECONDS = 2.0
MOST_CONNECTIONS = 32


class Client(Redis):
    """A pool of connections, one for each call at the same time.

    The library has timeouts of its own, made with `asyncio.wait_for`, which before Python 3.12 may lose a
    cancellation; a task that cannot be cancelled would then block the shutdown.

    Attributes:
        slices: of the work of all its subscriptions, which take turns with everything else.

    Raises:
        ValueError: the address is not valid.
    """

    def __init__(self, url: str) -> None:
        pool = ConnectionPool.from_url(
            url,
            protocol=2,
            socket_timeout=None,
            socket_connect_timeout=CONNECT_SECONDS,
            max_connections=MOST_CONNECTIONS,
            # If it reconnected by itself, messages missed between two connections would go unnoticed.
            retry=None,
            retry_on_error=[],
        )
        super().__init__(connection_pool=pool)
        self.slices = SharedSlices()

    @override
    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """See `redis.asyncio.Redis`."""
        async with asyncio.timeout(CALL_SECONDS):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # it has no types

    @override
    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """See `redis.asyncio.Redis`."""
        return _Batch(self.connection_pool, self.response_callbacks, transaction, shard_hint)

    async def disconnect(self) -> None:
        """Close every connection; the next call makes new ones."""
        await self.connection_pool.disconnect(inuse_connections=True)


class _Batch(Pipeline):
    @override
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        async with asyncio.timeout(CALL_SECONDS):
            return await super().execute(raise_on_error)
