"""Log records as a stream. The last records are kept. A slow reader loses its oldest records and is told how many."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import nullcontext
from typing import TYPE_CHECKING

from vivienne.logs.records import message_of, received
from vivienne.metrics.registry import Traffic
from vivienne.stream.unread import Shared, Unread
from vivienne.stream.waking import Waking

if TYPE_CHECKING:
    from vivienne.wire.messages import LogMessage

KEPT = 200
"""Number of records that are kept for new readers."""


class _Record(Shared):
    """A record, with its number in the stream and its numeric log level."""

    __slots__ = ("level", "number")

    def __init__(self, number: int, level: int, message: LogMessage) -> None:
        super().__init__(message)
        self.number = number
        self.level = level


class LogReader(Unread):
    """The unsent records of one client, of a log level at least; see `Unread`."""

    def __init__(self, level: int, traffic: Traffic, waking: Waking, whose: str) -> None:
        super().__init__(traffic, waking, whose)
        self._level = level
        self._newest = 0

    def put_record(self, record: _Record) -> bool:
        """Add a record if its level is high enough and it is new; True if the writer waits and must be woken."""
        if record.level < self._level or record.number <= self._newest:
            return False
        self._newest = record.number
        return self.put(record)


class LogStream(logging.Handler):
    """A logging handler, usable from any thread, that keeps the last records and passes new ones to its readers."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: deque[_Record] = deque(maxlen=KEPT)
        self._readers: set[LogReader] = set()
        self._waking = Waking()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record and pass it on. Called by one thread at a time."""
        try:
            self._keep(record)
        except Exception:  # noqa: BLE001  # a record that cannot be passed on must not fail the code that logs
            self.handleError(record)

    def _keep(self, record: logging.LogRecord) -> None:
        kept = self._numbered(record.levelno, message_of(record))
        if self._readers and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._pass_on, kept)

    def receive(self, message: LogMessage) -> None:
        """Add a record of another process. Called within the event loop."""
        level = logging.getLevelNamesMapping().get(message["level"], logging.INFO)
        with self.lock or nullcontext():
            kept = self._numbered(level, received(message))
        self._pass_on(kept)

    def _numbered(self, level: int, message: LogMessage) -> _Record:
        self._count += 1
        kept = _Record(self._count, level, message)
        self._kept.append(kept)
        return kept

    def join(self, level: int, traffic: Traffic | None = None, whose: str = "") -> LogReader:
        """Add a new client of a caller, counted by `traffic`; return its reader, with the kept records of its level."""
        self._loop = asyncio.get_running_loop()
        reader = LogReader(level, traffic or Traffic(), self._waking, whose)
        reader.traffic.clients += 1
        with self.lock or nullcontext():
            self._readers.add(reader)
            kept = list(self._kept)
        for record in kept:
            reader.put_record(record)
        return reader

    def leave(self, reader: LogReader) -> None:
        """Remove a client that has disconnected."""
        if reader in self._readers:
            self._readers.remove(reader)
            self._waking.forget(reader)
            reader.traffic.clients -= 1

    def _pass_on(self, record: _Record) -> None:
        self._waking.wake([reader for reader in self._readers if reader.put_record(record)])
