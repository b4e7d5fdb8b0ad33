"""Turns with rests: what takes the time of all is done one at a time, and after each others have as much time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.changes.turns import MOST_WAITING, Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class RestingTurns:
    """Runs one computation at a time, and after each leaves an equal time for other work. The callers take turns.

    Otherwise a client that asks for many charts would delay all other requests, including a pause.
    """

    def __init__(self) -> None:
        self._turns = Turns(most_waiting=MOST_WAITING)
        self._rested = 0.0

    @asynccontextmanager
    async def one(self, whose: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for the duration of the context."""
        async with self._turns.turn(whose):
            await asyncio.sleep(max(0.0, self._rested - monotonic()))
            begin = monotonic()
            try:
                yield
            finally:
                end = monotonic()
                self._rested = end + (end - begin)
