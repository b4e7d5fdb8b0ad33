"""The retail chop filter: blocks entries while there are many small trades."""

from __future__ import annotations

from vivienne.agent.filters.base import Check, Filter, Scenario
from vivienne.agent.filters.measures import AVERAGE_TRADE, TRADES_PER_MINUTE
from vivienne.agent.tunable import Section, description, filter_switch, trade_size, trades_per_minute

_PATH = "filters.underused_alpha."


class UnderusedAlphaFilter(Section):
    """Blocks entries while there are many small trades."""

    description: str | None = description("Holds back entries while many small trades make the market choppy.")
    enabled: bool = filter_switch("Retail chop filter", flat="underused_alpha_enabled")
    retail_chop_trade_count_threshold: float = trades_per_minute(
        100,
        "Retail chop trade count",
        "Trading is retail chop if there are at least this many trades and they are small.",
    )
    retail_chop_avg_trade_size_threshold: float = trade_size(
        50,
        "Retail chop average trade size",
        "Trading is retail chop if the average trade is at most this and there are many trades.",
    )


FILTER = Filter(
    name="underused_alpha",
    title="Retail chop",
    section=UnderusedAlphaFilter,
    switch=_PATH + "enabled",
    scenarios=(
        Scenario(
            "retail_chop",
            "many small trades",
            (
                Check(TRADES_PER_MINUTE, ">=", _PATH + "retail_chop_trade_count_threshold"),
                Check(AVERAGE_TRADE, "<=", _PATH + "retail_chop_avg_trade_size_threshold"),
            ),
        ),
    ),
)
