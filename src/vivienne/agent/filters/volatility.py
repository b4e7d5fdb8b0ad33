"""The volatility filter: blocks entries based on the Bollinger bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from vivienne.agent.arithmetic import where
from vivienne.agent.filters.base import Check, Filter, Measure, Scenario
from vivienne.agent.filters.measures import AGAINST_TREND
from vivienne.agent.rules import Ordered
from vivienne.agent.tolerance import EQUAL
from vivienne.agent.tunable import FRACTION_OF_PRICE, Section, description, filter_switch, tunable
from vivienne.wire.explanation import VolatilityStatus

if TYPE_CHECKING:
    from vivienne.agent.arithmetic import Values
    from vivienne.agent.indicators import IndicatorRows

_PATH = "filters.volatility."
STATUSES: tuple[VolatilityStatus, ...] = get_args(VolatilityStatus)
"""All statuses; `status` returns indexes into them. The first one applies if no other does."""


_NORMAL, _SQUEEZE, _BREAKOUT, _OVEREXTENDED = map(STATUSES.index, ("normal", "squeeze", "breakout", "overextended"))


def _bandwidth(default: float, title: str, text: str) -> Any:
    return tunable(
        default,
        title,
        text,
        unit=FRACTION_OF_PRICE,
        bounds=(0, 0.4),
        step=0.001,
        hint="it is a fraction: 1.5 % is 0.015",
    )


class VolatilityFilter(Section):
    """Blocks entries based on the Bollinger bands."""

    description: str | None = description(
        "Holds back entries in a squeeze, against the trend in a breakout, and when the close is overextended."
    )
    enable_bollinger_filter_for_entry: bool = filter_switch("Volatility filter")
    volatility_squeeze_threshold: float = _bandwidth(
        0.015, "Volatility squeeze threshold", "Blocks every entry while the bandwidth is below this (squeeze)."
    )
    volatility_breakout_threshold: float = _bandwidth(
        0.025,
        "Volatility breakout threshold",
        "Blocks entries against the trend while the bandwidth is above this (breakout).",
    )
    bollinger_overextended_block: bool = tunable(
        True,
        "Block when overextended",
        "Blocks entries in the direction in which the close is overextended, unless `bb_breakout` votes for them.",
    )
    overextended_deviations: float = tunable(
        3.0,
        "Overextended threshold",
        "The close is overextended at this distance from the middle band or more.",
        unit="standard deviations",
        bounds=(1, 10),
        step=0.1,
    )


def status(now: IndicatorRows, tunables: VolatilityFilter) -> Values:
    """The volatility status of each row, as an index into `STATUSES`; overextended takes precedence."""
    squeeze, breakout = tunables.volatility_squeeze_threshold, tunables.volatility_breakout_threshold
    wide = where(now.bandwidth > breakout * (1.0 + EQUAL), _BREAKOUT, _NORMAL)
    found = where(now.bandwidth < squeeze * (1.0 - EQUAL), _SQUEEZE, wide)
    is_far = abs(now.deviations) >= tunables.overextended_deviations * (1.0 - EQUAL)
    return where(is_far, _OVEREXTENDED, found)


_BANDWIDTH = Measure("bandwidth", "bandwidth", "fraction", lambda scene: scene.columns.now.bandwidth)
_DEVIATIONS = Measure(
    "deviations_ahead",
    "deviations from the middle band",
    "deviations",
    lambda scene: scene.columns.now.deviations * scene.side,
)
_BREAKOUT_VOTE = Measure(
    "breakout_ahead",
    "breakout vote in the direction of the entry",
    "direction",
    lambda scene: scene.votes["bb_breakout"].direction * scene.side,
)

FILTER = Filter(
    name="volatility",
    title="Volatility",
    section=VolatilityFilter,
    switch=_PATH + "enable_bollinger_filter_for_entry",
    scenarios=(
        Scenario("squeeze", "squeeze", (Check(_BANDWIDTH, "<", _PATH + "volatility_squeeze_threshold"),)),
        Scenario(
            "breakout_against_trend",
            "breakout against the trend",
            (Check(_BANDWIDTH, ">", _PATH + "volatility_breakout_threshold"), AGAINST_TREND),
        ),
        Scenario(
            "overextended",
            "overextended",
            (
                Check(_DEVIATIONS, ">=", _PATH + "overextended_deviations"),
                Check(_BREAKOUT_VOTE, "<=", 0.0, ("no breakout vote for the entry", "a breakout vote for the entry")),
            ),
            switch=_PATH + "bollinger_overextended_block",
        ),
    ),
    rules=(Ordered((_PATH + "volatility_squeeze_threshold", _PATH + "volatility_breakout_threshold")),),
    needs=("bb_breakout",),
)
