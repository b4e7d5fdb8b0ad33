"""How far a row has come, so that nobody has to wonder whether it goes on.

A line that is written over on a terminal, one in ten seconds elsewhere.
"""

from __future__ import annotations

import sys
import time

_EVERY = {True: 0.2, False: 10.0}
"""Seconds, on a terminal and elsewhere."""


class Progress:
    """Counts, and prints now and then.

    Args:
        what: is counted, in the plural.
        total: of it.
    """

    def __init__(self, what: str, total: float) -> None:
        self._what = what
        self._total = total
        self._done = 0.0
        self._begin = self._printed = time.monotonic()

    def add(self, number: int = 1) -> None:
        """So many more."""
        self.at(self._done + number)

    def at(self, done: float, more: str = "") -> None:
        """So many altogether.

        Args:
            done: of the total.
            more: what else there is to say.
        """
        self._done = done
        now = time.monotonic()
        on_terminal = sys.stderr.isatty()
        if now - self._printed < _EVERY[on_terminal]:
            return
        self._printed = now
        rate = done / (now - self._begin)
        left = f"{(self._total - done) / rate:,.0f} s to go" if rate else ""
        line = ", ".join(part for part in (f"  {done:,.0f} of {self._total:,.0f} {self._what}", left, more) if part)
        print(f"\r\x1b[K{line}" if on_terminal else line, end="" if on_terminal else "\n", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the line away."""
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
