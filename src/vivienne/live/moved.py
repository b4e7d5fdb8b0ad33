"""Prices between bars: when the next state of an asset may show them."""

from __future__ import annotations

import asyncio
from time import monotonic

_STEP_SECONDS = 0.005
"""Prices that come within so long go out together, so that clients are woken once for all of them."""


class Moved:
    """Assets that have something to show, and when the last state of each asset was published.

    A price that comes after a quiet interval is shown at once. Others wait until the interval is over.

    Args:
        interval: shortest time between two states of an asset that differ in price only, in seconds.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._assets: set[str] = set()
        self._published: dict[str, float] = {}
        self._is_any = asyncio.Event()

    def add(self, asset: str) -> None:
        """An asset has something to show."""
        self._assets.add(asset)
        self._is_any.set()

    def published(self, asset: str) -> None:
        """A state of an asset shows all there is."""
        self._assets.discard(asset)
        self._published[asset] = monotonic()

    def quiet(self, asset: str) -> float:
        """Seconds since the last state of an asset; those since the start of the clock before the first."""
        return monotonic() - self._published.get(asset, 0.0)

    async def due(self) -> list[str]:
        """Wait for a moment, and longer while nothing has moved; return the assets whose next state may go out."""
        await self._is_any.wait()
        await asyncio.sleep(min(_STEP_SECONDS, self._interval))
        if not self._assets:
            self._is_any.clear()
        return [asset for asset in self._assets if self.quiet(asset) >= self._interval]
