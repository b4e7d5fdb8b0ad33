"""Log records as a stream: the last ones kept, every new one passed on; a slow reader loses the oldest and is told."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vivienne.stream.messages import encode
from vivienne.stream.times import written

if TYPE_CHECKING:
    from vivienne.stream.messages import Message

KEPT = 200
MOST_UNREAD = 1_000


class LogReader:
    """What one client has still to be sent; the oldest go when it does not keep up."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._records: deque[Message] = deque()
        self._dropped = 0
        self._filled = asyncio.Event()

    def offer(self, record: Message) -> None:
        """Take a record if it is of the wanted level; never blocks."""
        if logging.getLevelNamesMapping()[record["level"]] < self._level:
            return
        if len(self._records) >= MOST_UNREAD:
            self._records.popleft()
            self._dropped += 1
        self._records.append(record)
        self._filled.set()

    async def take(self) -> str:
        """The next record as JSON; waits for one. After a loss it says under ``dropped`` how many are missing."""
        while not self._records:
            self._filled.clear()
            await self._filled.wait()
        record = self._records.popleft()
        if self._dropped:
            record = {**record, "dropped": self._dropped}
            self._dropped = 0
        return encode(record)


class LogStream(logging.Handler):
    """A logging handler that keeps the last records and passes new ones to its readers, from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: deque[Message] = deque(maxlen=KEPT)
        self._readers: set[LogReader] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record and pass it on."""
        message: Message = {
            "type": "log",
            "timestamp": written(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            message["exception"] = logging.Formatter().formatException(record.exc_info)
        self._kept.append(message)
        if self._readers and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._pass_on, message)

    def join(self, level: int) -> LogReader:
        """A reader for a new client, with the kept records of its level already in it."""
        self._loop = asyncio.get_running_loop()
        reader = LogReader(level)
        for message in list(self._kept):
            reader.offer(message)
        self._readers.add(reader)
        return reader

    def leave(self, reader: LogReader) -> None:
        """The client is gone."""
        self._readers.discard(reader)

    def _pass_on(self, message: Message) -> None:
        for reader in self._readers:
            reader.offer(message)
