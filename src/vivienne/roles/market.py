"""The market a process decides, fed as the boot settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.errors import SettingsError
from vivienne.live.market import Market
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.pushed.feed import PushedFeed
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.feeds.simulated import SimulatedFeed
from vivienne.metrics.registry import Sample

if TYPE_CHECKING:
    from vivienne.changes.service import ConfigService
    from vivienne.live.memory import Memory
    from vivienne.market.feeds.base import Feed
    from vivienne.metrics.registry import Metrics
    from vivienne.settings.boot import Boot
    from vivienne.stream.state import StateBoard

_LEFT_OUT = "vivienne_data_rows_left_out"


def market_of(
    boot: Boot, feed: Feed, service: ConfigService, board: StateBoard, memory: Memory | None = None
) -> Market:
    """The market of a feed.

    Args:
        boot: the settings.
        feed: made by `feed_of`.
        service: has the configuration in force.
        board: takes the states.
        memory: knows what earlier processes decided.

    Raises:
        MarketDataError: a data file cannot be used.
    """
    return Market(
        feed,
        service,
        board,
        timeframe=boot.timeframe,
        window=boot.window,
        price_interval=boot.price_interval,
        on_tick=boot.on_tick,
        cap=boot.caps,
        require_full_history=boot.require_full_history,
        memory=memory,
    )


def feed_of(boot: Boot, assets: tuple[str, ...], metrics: Metrics) -> Feed:
    """The feed of some assets.

    Args:
        boot: the settings.
        assets: to decide.
        metrics: show what the feed counts.

    Raises:
        MarketDataError: a data file cannot be used.
        SettingsError: the data does not go with a setting.
    """
    if boot.files:
        files = {asset: boot.files[asset] for asset in assets}
        feed = ReplayFeed(
            files, boot.speed, boot.market_begin, timeframe=boot.timeframe, on_bad_row=boot.on_bad_row
        )  # fmt: skip
        if boot.on_tick and feed.longest_candle > 1:
            raise SettingsError("--evaluate-on tick needs one-minute candles or trades; longer candles have no prices "
                                "within a bar")  # fmt: skip
        metrics.long_source(lambda: (Sample(_LEFT_OUT, *each) for each in list(feed.left_out.items())))
        return feed
    if boot.feed == "exchange":
        from vivienne.market.feeds.exchange.feed import ExchangeFeed  # noqa: PLC0415  # other feeds need no HTTP client

        followed = ExchangeFeed(
            EXCHANGES[boot.exchange], assets, timeframe=boot.timeframe, bars=boot.window, symbols=boot.symbols,
            quote=boot.quote or None, url=boot.exchange_url,
        )  # fmt: skip
        metrics.long_source(lambda: (Sample(*each) for each in followed.counts()))
        return followed
    if boot.feed == "push":
        pushed = PushedFeed(assets, timeframe=boot.timeframe, bars=boot.window, others=set(boot.assets) - set(assets))
        metrics.long_source(lambda: (Sample(*each) for each in pushed.counts()))
        return pushed
    return SimulatedFeed(
        assets,
        seed=boot.seed,
        speed=boot.speed or 1.0,
        timeframe_minutes=boot.timeframe.minutes,
        begun=boot.market_begin,
    )
