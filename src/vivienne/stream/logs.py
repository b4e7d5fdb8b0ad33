"""Log records as a stream. The last records are kept. A slow reader loses its oldest records and is told how many."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import nullcontext
from typing import TYPE_CHECKING

from vivienne.logs.records import message_of, received
from vivienne.metrics.registry import Traffic
from vivienne.stream.waking import ROW, Waking
from vivienne.wire.messages import encode

if TYPE_CHECKING:
    from vivienne.wire.messages import LogMessage

KEPT = 200
"""Number of records that are kept for new readers."""
MOST_UNREAD = 1_000
"""Number of unread records of a reader beyond which its oldest are dropped."""


class _Record:
    """A record, with its number in the stream and its numeric log level. It is encoded once, for all readers."""

    __slots__ = ("_text", "level", "message", "number")

    def __init__(self, number: int, level: int, message: LogMessage) -> None:
        self.number = number
        self.level = level
        self.message = message
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The record as JSON."""
        if self._text is None:
            self._text = encode(self.message)
        return self._text


class LogReader:
    """The unsent records of one client; the oldest are dropped if it is too slow.

    Args:
        level: of the records that it gets, at least.
        traffic: see below.
        waking: has the turns of all readers.
        whose: see below.

    Attributes:
        traffic: counts the records.
        whose: the caller who gets them.
    """

    def __init__(self, level: int, traffic: Traffic, waking: Waking, whose: str) -> None:
        self._level = level
        self.traffic = traffic
        self.whose = whose
        self._waking = waking
        self._turn = asyncio.Event()
        self._unread: deque[_Record] = deque()
        self._dropped = 0
        self._newest = 0
        self._filled = asyncio.Event()

    def put(self, record: _Record) -> bool:
        """Add a record if its level is high enough and it is new; True if the writer waits and must be woken."""
        if record.level < self._level or record.number <= self._newest:
            return False
        self._newest = record.number
        if len(self._unread) >= MOST_UNREAD:
            self._unread.popleft()
            self._dropped += 1
            self.traffic.dropped += 1
        self._unread.append(record)
        return not self._filled.is_set()

    def wake(self) -> int:
        """Give the writer its turn; gives the number of records that it may send."""
        self._filled.set()
        self._turn.set()
        return min(ROW, len(self._unread))

    async def turn(self) -> None:
        """Wait for a turn, to send more records in a row."""
        self._turn.clear()
        self._waking.wake_again(self)
        await self._turn.wait()

    def unsent(self) -> int:
        """Number of unsent records."""
        return len(self._unread)

    async def take(self) -> str:
        """Wait for the next record and return it as JSON. After a loss, ``dropped`` is the number of lost records."""
        while not self._unread:
            self._filled.clear()
            await self._filled.wait()
        record = self._unread.popleft()
        if not self._dropped:
            return record.text
        dropped, self._dropped = self._dropped, 0
        return encode({**record.message, "dropped": dropped})


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
            reader.put(record)
        return reader

    def leave(self, reader: LogReader) -> None:
        """Remove a client that has disconnected."""
        if reader in self._readers:
            self._readers.remove(reader)
            self._waking.forget(reader)
            reader.traffic.clients -= 1

    def _pass_on(self, record: _Record) -> None:
        self._waking.wake([reader for reader in self._readers if reader.put(record)])
