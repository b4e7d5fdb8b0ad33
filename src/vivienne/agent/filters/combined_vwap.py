"""The VWAP filter: blocks long entries into weak pumps above the VWAP and into distribution below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.agent.filters.base import Check, Filter, Measure, Scenario
from vivienne.agent.filters.measures import AVERAGE_TRADE, OVER_VWAP, TRADES_PER_MINUTE, of_rows, ratio
from vivienne.agent.tunable import Section, description, filter_switch, trade_size, trades_per_minute, tunable

if TYPE_CHECKING:
    from vivienne.agent.arithmetic import Values
    from vivienne.agent.filters.base import Scene

_PATH = "filters.combined_vwap."


class CombinedVwapFilter(Section):
    """Blocks long entries into weak pumps above the VWAP and into distribution below it."""

    description: str | None = description(
        "Holds back long entries into a rise with few small trades and into selling by large traders."
    )
    enabled: bool = filter_switch("VWAP filter", flat="combined_vwap_enabled")
    weak_pump_trade_count_threshold: float = trades_per_minute(
        50,
        "Weak pump trade count",
        "A rise above the VWAP is weak if there are fewer trades than this and they are small.",
    )
    weak_pump_avg_trade_size_threshold: float = trade_size(
        100,
        "Weak pump average trade size",
        "A rise above the VWAP is weak if the average trade is below this and there are few trades.",
    )
    distribution_trade_count_threshold: float = trades_per_minute(
        200, "Distribution trade count", "Distribution below the VWAP needs more trades than this."
    )
    distribution_avg_trade_size_threshold: float = trade_size(
        500, "Distribution average trade size", "Distribution below the VWAP needs an average trade above this."
    )
    distribution_taker_buy_share: float = tunable(
        0.45,
        "Distribution taker-buy share",
        "Distribution below the VWAP needs a share of the volume bought by takers below this.",
        unit="fraction of volume",
        bounds=(0, 1),
        step=0.01,
    )


def _taker_buy_share(scene: Scene) -> Values:
    bars = scene.columns.bars
    return ratio(of_rows(scene, bars.taker_buy_volume), of_rows(scene, bars.volume))


_RISE = Measure("rise", "rise since the previous bar", "price_difference", lambda scene: scene.columns.now.rise)
_TAKER_BUY_SHARE = Measure("taker_buy_share", "taker-buy share", "fraction", _taker_buy_share)

FILTER = Filter(
    name="combined_vwap",
    title="VWAP",
    section=CombinedVwapFilter,
    switch=_PATH + "enabled",
    scenarios=(
        Scenario(
            "weak_pump",
            "weak pump",
            (
                Check(OVER_VWAP, ">", 0.0, ("close above the VWAP", "close not above the VWAP")),
                Check(_RISE, ">", 0.0, ("rising", "not rising")),
                Check(TRADES_PER_MINUTE, "<", _PATH + "weak_pump_trade_count_threshold"),
                Check(AVERAGE_TRADE, "<", _PATH + "weak_pump_avg_trade_size_threshold"),
            ),
            longs_only=True,
        ),
        Scenario(
            "distribution",
            "distribution",
            (
                Check(OVER_VWAP, "<", 0.0, ("close below the VWAP", "close not below the VWAP")),
                Check(TRADES_PER_MINUTE, ">", _PATH + "distribution_trade_count_threshold"),
                Check(AVERAGE_TRADE, ">", _PATH + "distribution_avg_trade_size_threshold"),
                Check(_TAKER_BUY_SHARE, "<", _PATH + "distribution_taker_buy_share"),
            ),
            longs_only=True,
        ),
    ),
)
