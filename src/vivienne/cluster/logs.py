"""Log records over Redis: agents publish theirs, gateways show them among their own.

They are for viewers at this moment: a record that no gateway receives is lost here, but is in the log of its process.
"""

from __future__ import annotations

import logging
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import orjson
from pydantic import TypeAdapter, ValidationError

from vivienne.redis.listening import heard
from vivienne.wire.messages import LogMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.stream.logs import LogReader, LogStream

MOST_BYTES = 256 * 1024
"""Length of a record; one with a long traceback is below a tenth of it."""
LOGS = "vivienne:logs"
"""Channel of the records."""

_adapter = TypeAdapter(LogMessage)


class LogPublisher:
    """Publishes the records of this process.

    Args:
        logs: has them.
        process: name of this process.
    """

    def __init__(self, logs: LogStream, process: str) -> None:
        self._logs = logs
        self._process = process
        self._reader: LogReader | None = None

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`.

        The reader stays from one connection to the next, so no record goes out twice; it keeps a limited number, and
        drops the oldest while there is no connection.
        """
        self._reader = self._reader or self._logs.join(logging.DEBUG)
        ready()
        while True:
            record = orjson.loads(await self._reader.take())
            await redis.publish(LOGS, orjson.dumps({**record, "process": self._process}))


class LogReceiver:
    """Shows the records of other processes.

    Args:
        logs: takes them.
    """

    def __init__(self, logs: LogStream) -> None:
        self._logs = logs

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        async with aclosing(heard(redis, ready, LOGS)) as records:
            async for raw in records:
                if raw is not None and len(raw) <= MOST_BYTES:
                    with suppress(ValidationError):  # not a record
                        self._logs.receive(_adapter.validate_json(raw))
