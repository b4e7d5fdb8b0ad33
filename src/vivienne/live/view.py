"""The view of a market that the web application uses; agents in this process or elsewhere decide the market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vivienne.live.overviews import Overviews, encoded
from vivienne.live.resting import RestingTurns

if TYPE_CHECKING:
    from vivienne.agent.schema import Configuration
    from vivienne.live.market import Market
    from vivienne.slices import Pieces
    from vivienne.wire.chart import Chart
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

    async def overview(self, closes: int, *, whose: str = "") -> bytes:
        """All assets, each with its last closes, as JSON: `AssetList`. Of many assets it has fewer closes of each."""

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

    def troubles(self) -> Pieces[dict[str, str]]:
        """Assets without a usable decision, with the reason; looks at one asset after the other."""


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
        self._overviews = Overviews(self._turns.one, self._listed, len(market.assets))

    async def overview(self, closes: int, *, whose: str = "") -> bytes:
        """See `MarketView`."""
        return await self._overviews.one(closes, whose)

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

    def troubles(self) -> Pieces[dict[str, str]]:
        """See `MarketView`."""
        found: dict[str, str] = {}
        for asset in self.assets:
            if (trouble := self._market.seen(asset).trouble) is not None:
                found[asset] = trouble.message
            yield
        return found

    async def _listed(self, closes: int, _whose: str) -> bytes:
        market = self._market
        return await encoded(market.feed, market.timeframe, market.closes(closes))
