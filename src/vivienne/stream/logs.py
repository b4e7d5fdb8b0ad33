"""Log records as a stream: the last ones kept, every new one passed on; a slow reader loses the oldest and is told."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from vivienne.access.secrets import without_secrets
from vivienne.metrics.registry import Traffic
from vivienne.times import written
from vivienne.wire.messages import encode

if TYPE_CHECKING:
    from vivienne.wire.messages import LogMessage

KEPT = 200
MOST_UNREAD = 1_000


class _Record(NamedTuple):
    """A record as it goes out, its number in the stream, and its level as logging counts it."""

    number: int
    level: int
    message: LogMessage


class LogReader:
    """What one client has still to be sent; the oldest go when it does not keep up."""

    def __init__(self, level: int, traffic: Traffic) -> None:
        self._level = level
        self.traffic = traffic
        self._unread: deque[LogMessage] = deque()
        self._dropped = 0
        self._newest = 0
        self._filled = asyncio.Event()

    def offer(self, record: _Record) -> None:
        """Take a record if it is of the wanted level and not known already; never blocks."""
        if record.level < self._level or record.number <= self._newest:
            return
        self._newest = record.number
        if len(self._unread) >= MOST_UNREAD:
            self._unread.popleft()
            self._dropped += 1
            self.traffic.dropped += 1
        self._unread.append(record.message)
        self._filled.set()

    async def take(self) -> str:
        """The next record as JSON; waits for one. After a loss it says under ``dropped`` how many are missing."""
        while not self._unread:
            self._filled.clear()
            await self._filled.wait()
        message = self._unread.popleft()
        if self._dropped:
            message = {**message, "dropped": self._dropped}
            self._dropped = 0
        return encode(message)


class LogStream(logging.Handler):
    """A logging handler that keeps the last records and passes new ones to its readers, from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: deque[_Record] = deque(maxlen=KEPT)
        self._readers: set[LogReader] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record and pass it on; called by one thread at a time."""
        try:
            self._keep(record)
        except Exception:  # noqa: BLE001  # as every handler: a record that cannot be written hurts nobody who logs
            self.handleError(record)

    def _keep(self, record: logging.LogRecord) -> None:
        kept = self._numbered(record.levelno, _message(record))
        if self._readers and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._pass_on, kept)

    def receive(self, message: LogMessage) -> None:
        """Take a record of another process; called within the loop."""
        level = logging.getLevelNamesMapping().get(message["level"], logging.INFO)
        with self.lock or nullcontext():
            kept = self._numbered(level, message)
        self._pass_on(kept)

    def _numbered(self, level: int, message: LogMessage) -> _Record:
        self._count += 1
        kept = _Record(self._count, level, message)
        self._kept.append(kept)
        return kept

    def join(self, level: int, traffic: Traffic | None = None) -> LogReader:
        """A reader for a new client, with the kept records of its level already in it; `traffic` counts it."""
        self._loop = asyncio.get_running_loop()
        reader = LogReader(level, traffic or Traffic())
        reader.traffic.clients += 1
        with self.lock or nullcontext():
            self._readers.add(reader)
            kept = list(self._kept)
        for record in kept:
            reader.offer(record)
        return reader

    def leave(self, reader: LogReader) -> None:
        """The client is gone."""
        if reader in self._readers:
            self._readers.remove(reader)
            reader.traffic.clients -= 1

    def _pass_on(self, record: _Record) -> None:
        for reader in self._readers:
            reader.offer(record)


def _message(record: logging.LogRecord) -> LogMessage:
    message: LogMessage = {
        "type": "log",
        "timestamp": written(datetime.fromtimestamp(record.created, UTC)),
        "level": record.levelname,
        "logger": record.name,
        "message": without_secrets(record.getMessage()),
    }
    if record.exc_info:
        message["exception"] = without_secrets(logging.Formatter().formatException(record.exc_info))
    return message
