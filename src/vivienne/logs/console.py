"""The log on standard error, written by a thread of its own, so that a slow or hung reader of it stops nothing."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque

MOST_BYTES = 4 * 1024 * 1024
"""Bytes that wait to be written; records beyond them are dropped and counted."""
_FLUSH_SECONDS = 1.0
"""Seconds that waiting records get at the end of the process."""


class Console(logging.Handler):
    """A handler that writes records to a file descriptor. Logging never waits for its reader.

    Args:
        descriptor: of the file, pipe or terminal.

    Attributes:
        dropped: records that were not written, because earlier ones were not read or the write failed.
    """

    def __init__(self, descriptor: int = 2) -> None:
        super().__init__()
        self.dropped = 0
        self._descriptor = descriptor
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._untold = 0
        self._changed = threading.Condition()
        # A daemon: a write that nobody reads must not keep the process from ending.
        threading.Thread(target=self._write, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record, or drop it."""
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001  # a record that cannot be formatted must not fail the code that logs
            self.handleError(record)
        else:
            self.say(text)

    def say(self, text: str) -> None:
        """Queue a line from elsewhere than the log, or drop it."""
        line = text.encode(errors="backslashreplace") + b"\n"
        with self._changed:
            if self._bytes + len(line) > MOST_BYTES:
                self._drop()
                return
            self._bytes += len(line)
            self._waiting.append(line)
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until everything is written, but not for long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._bytes, _FLUSH_SECONDS)

    def _drop(self) -> None:
        self.dropped += 1
        self._untold += 1

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                line = self._waiting.popleft()
            was_written = self._wrote(line)
            with self._changed:
                self._bytes -= len(line)
                if not was_written:
                    self._drop()
                lost = self._untold if was_written and not self._waiting else 0
                self._untold -= lost
                self._changed.notify_all()
            if lost:
                logging.getLogger(__name__).warning("%d log records were dropped: standard error was not read", lost)

    def _wrote(self, line: bytes) -> bool:
        """Write a line; False if the file does not take it: a full disk, or a reader that has gone."""
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:
            return False
        return True
