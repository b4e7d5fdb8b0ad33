"""The market a process decides, fed as the boot settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.live.market import Market
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.feeds.simulated import SimulatedFeed

if TYPE_CHECKING:
    from vivienne.changes.service import ConfigService
    from vivienne.market.feeds.base import Feed
    from vivienne.settings.boot import Boot
    from vivienne.stream.state import StateBoard


def market_of(boot: Boot, assets: tuple[str, ...], service: ConfigService, board: StateBoard) -> Market:
    """The market of some assets.

    Args:
        boot: the settings.
        assets: to decide.
        service: has the configuration in force.
        board: takes the states.

    Raises:
        MarketDataError: a data file cannot be used.
    """
    return Market(
        _feed(boot, assets),
        service,
        board,
        timeframe=boot.timeframe,
        window=boot.window,
        price_interval=boot.price_interval,
        on_tick=boot.on_tick,
        cap=boot.caps,
        require_full_history=boot.require_full_history,
    )


def _feed(boot: Boot, assets: tuple[str, ...]) -> Feed:
    if boot.files:
        return ReplayFeed({asset: boot.files[asset] for asset in assets}, boot.speed, boot.market_begin)
    return SimulatedFeed(
        assets,
        seed=boot.seed,
        speed=boot.speed or 1.0,
        timeframe_minutes=boot.timeframe.minutes,
        begun=boot.market_begin,
    )
