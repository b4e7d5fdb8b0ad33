"""The view of a market that the web application uses; agents in this process or elsewhere decide the market."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from vivienne.changes.turns import MOST_WAITING, Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vivienne.agent.schema import Configuration
    from vivienne.live.market import Market
    from vivienne.wire.chart import AssetList, Chart
    from vivienne.wire.preview import Comparison


MOST_BARS = 1_000
"""Bars, closes or compared rows that may be asked for at once."""


class MarketView(Protocol):
    """The read-only view of a market.

    Every method may raise `AgentUnavailable` if the agent that decides the asset does not answer, and
    `TooManyRequests` if the caller waits for too many answers already. `whose` is the key of the caller: the callers
    take turns.

    Attributes:
        assets: names of all assets.
        is_local: whether this process decides them. It is then not ready while their feeds fail.
    """

    assets: tuple[str, ...]
    is_local: bool

    async def overview(self, closes: int, *, whose: str = "") -> AssetList:
        """All assets, each with its last closes."""

    async def chart(self, asset: str, limit: int, *, before: int | None = None, whose: str = "") -> Chart:
        """The chart of an asset, with at most `limit` closed bars, of which all are in memory.

        Args:
            asset: its name.
            limit: number of bars.
            before: only bars that open before this time, ms since the epoch; None up to the newest.
            whose: key of the caller.
        """

    async def compare(
        self, asset: str, candidate: Configuration, rows: int, *, whose: str = ""
    ) -> tuple[str, Comparison]:
        """The timeframe, and the comparison of the last bars under another configuration."""

    def troubles(self) -> dict[str, str]:
        """Assets without a usable decision, with the reason."""


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
            yield
            end = monotonic()
            self._rested = end + (end - begin)


class LocalView:
    """The view of the market of this process.

    Args:
        market: decides the assets.
    """

    is_local = True

    def __init__(self, market: Market) -> None:
        self._turns = RestingTurns()
        self._market = market
        self.assets = market.assets

    async def overview(self, closes: int, *, whose: str = "") -> AssetList:
        """See `MarketView`; it costs little."""
        del whose
        return self._market.overview(closes)

    async def chart(self, asset: str, limit: int, *, before: int | None = None, whose: str = "") -> Chart:
        """See `MarketView`."""
        async with self._turns.one(whose):
            return self._market.chart(asset, limit, before)

    async def compare(
        self, asset: str, candidate: Configuration, rows: int, *, whose: str = ""
    ) -> tuple[str, Comparison]:
        """See `MarketView`."""
        async with self._turns.one(whose):
            return self._market.compare(asset, candidate, rows)

    def troubles(self) -> dict[str, str]:
        """See `MarketView`."""
        return self._market.troubles()
