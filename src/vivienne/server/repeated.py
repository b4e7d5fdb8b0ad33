"""Warnings of what outsiders can cause: one at once, and then a summary of a minute, so that nobody fills the log."""

from __future__ import annotations

import asyncio
import logging

_log = logging.getLogger(__name__)

QUIET_SECONDS = 60.0
"""Seconds between two lines."""


class RepeatedWarning:
    """A warning of something that may happen any number of times.

    Args:
        what: happened, with its number before it, such as "WebSockets were refused".
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._more = 0
        self._last = ""
        self._quiet: asyncio.TimerHandle | None = None

    def warn(self, last: str) -> None:
        """Tell that it happened.

        Args:
            last: where from, and why.
        """
        self._more += 1
        self._last = last
        if self._quiet is None:
            self._say()

    def _say(self) -> None:
        _log.warning("%s: %s, the last one: %s", self._what, f"{self._more:,}", self._last)
        self._more = 0
        self._quiet = asyncio.get_running_loop().call_later(QUIET_SECONDS, self._later)

    def _later(self) -> None:
        self._quiet = None
        if self._more:
            self._say()
