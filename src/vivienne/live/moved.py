"""Prices between bars: when the next state of an asset may show them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from heapq import heappop, heappush
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
        self._queue: list[tuple[float, str]] = []
        """When an asset may be shown, a heap: with thousands that wait, nobody looks at all of them again and again."""
        self._queued: set[str] = set()
        """The assets in it."""
        self._is_earlier = asyncio.Event()
        """Set if one may be shown earlier than all others that wait."""

    def __contains__(self, asset: str) -> bool:
        return asset in self._assets

    def add(self, asset: str) -> None:
        """An asset has something to show."""
        self._assets.add(asset)
        if asset not in self._queued:
            due = self._due_of(asset)
            if not self._queue or due < self._queue[0][0]:
                self._is_earlier.set()
            self._queued.add(asset)
            heappush(self._queue, (due, asset))

    def published(self, asset: str) -> None:
        """A state of an asset shows all there is."""
        self._assets.discard(asset)
        self._published[asset] = monotonic()

    def quiet(self, asset: str) -> float:
        """Seconds since the last state of an asset; infinite before the first."""
        return monotonic() - self._published.get(asset, -inf)

    async def due(self) -> list[str]:
        """Wait until states may go out, and a moment for more of them; return their assets, each of them once.

        They have something to show until they are published, for whatever reason.
        """
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._rest()):
                    await self._is_earlier.wait()
            await asyncio.sleep(min(_STEP_SECONDS, self._interval))
            self._is_earlier.clear()
            if due := self._take_due():
                return due

    def _take_due(self) -> list[str]:
        now, due = monotonic(), []
        while self._queue and self._queue[0][0] <= now:
            _, asset = heappop(self._queue)
            later = self._due_of(asset)
            if asset in self._assets and later > now:  # it was published since, and has something to show again
                heappush(self._queue, (later, asset))
                continue
            self._queued.remove(asset)
            if asset in self._assets:
                due.append(asset)
        return due

    def _due_of(self, asset: str) -> float:
        return self._published.get(asset, -inf) + self._interval

    def _rest(self) -> float | None:
        """Seconds until the first state may go out; None if there is none."""
        return self._queue[0][0] - monotonic() if self._queue else None
