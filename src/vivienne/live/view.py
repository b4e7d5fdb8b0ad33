"""What the web application asks of a market: one that is decided in this process, or by agents elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vivienne.agent.schema import Configuration
    from vivienne.live.market import Market
    from vivienne.wire.chart import AssetList, Chart
    from vivienne.wire.preview import Comparison


class MarketView(Protocol):
    """A market to look at.

    Every question may raise `AgentUnavailable`: who could answer it does not.

    Attributes:
        assets: which there are.
        is_local: whether they are decided in this process, which is then of no use without them.
    """

    assets: tuple[str, ...]
    is_local: bool

    async def overview(self, closes: int) -> AssetList:
        """Every asset with its last closes."""

    async def chart(self, asset: str, limit: int) -> Chart:
        """The last closed bars of an asset with what a chart draws."""

    async def compare(self, asset: str, candidate: Configuration, rows: int) -> tuple[str, Comparison]:
        """The timeframe, and what another configuration would have made of an asset's last bars."""

    def troubles(self) -> dict[str, str]:
        """Assets that cannot be decided any more, and why."""


class _Turns:
    """Lets one at a time compute something, and then everything else be done for as long as that took.

    Otherwise whoever asks for many charts would keep everybody waiting, with a pause too.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._rested = 0.0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A turn."""
        async with self._turn:
            await asyncio.sleep(max(0.0, self._rested - monotonic()))
            begin = monotonic()
            yield
            end = monotonic()
            self._rested = end + (end - begin)


class LocalView:
    """The market of this process.

    Args:
        market: decides.
    """

    is_local = True

    def __init__(self, market: Market) -> None:
        self._turns = _Turns()
        self._market = market
        self.assets = market.assets

    async def overview(self, closes: int) -> AssetList:
        """See `MarketView`."""
        return self._market.overview(closes)

    async def chart(self, asset: str, limit: int) -> Chart:
        """See `MarketView`."""
        async with self._turns.one():
            return self._market.chart(asset, limit)

    async def compare(self, asset: str, candidate: Configuration, rows: int) -> tuple[str, Comparison]:
        """See `MarketView`."""
        async with self._turns.one():
            return self._market.compare(asset, candidate, rows)

    def troubles(self) -> dict[str, str]:
        """See `MarketView`."""
        return self._market.troubles()
