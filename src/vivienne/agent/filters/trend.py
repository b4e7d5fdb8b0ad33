"""The trend filter: blocks entries against the MACD trend."""

from __future__ import annotations

from vivienne.agent.filters.base import Filter, Scenario
from vivienne.agent.filters.measures import AGAINST_TREND
from vivienne.agent.tunable import Section, description, filter_switch


class TrendFilter(Section):
    """Blocks entries against the MACD trend."""

    description: str | None = description("Holds back entries that go against the MACD trend.")
    enable_trend_filter_for_entry: bool = filter_switch("Trend filter")


FILTER = Filter(
    name="trend",
    title="Trend",
    section=TrendFilter,
    switch="filters.trend.enable_trend_filter_for_entry",
    scenarios=(Scenario("against_trend", "against the trend", (AGAINST_TREND,)),),
)
