"""Prices between bars: when the next state of an asset may show them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import inf
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
        self._is_new = asyncio.Event()

    def add(self, asset: str) -> None:
        """An asset has something to show."""
        if asset not in self._assets:
            self._assets.add(asset)
            self._is_new.set()

    def published(self, asset: str) -> None:
        """A state of an asset shows all there is."""
        self._assets.discard(asset)
        self._published[asset] = monotonic()

    def quiet(self, asset: str) -> float:
        """Seconds since the last state of an asset; infinite before the first."""
        return monotonic() - self._published.get(asset, -inf)

    async def due(self) -> list[str]:
        """Wait until states may go out, and a moment for more of them; return their assets."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._rest()):
                    await self._is_new.wait()
            await asyncio.sleep(min(_STEP_SECONDS, self._interval))
            self._is_new.clear()
            if due := [asset for asset in self._assets if self.quiet(asset) >= self._interval]:
                return due

    def _rest(self) -> float | None:
        """Seconds until the first state may go out; None if there is none."""
        return min((self._interval - self.quiet(asset) for asset in self._assets), default=None)
