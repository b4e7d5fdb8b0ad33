"""An alert made from the state of this moment, for previews and tests."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from vivienne.alerts.event import Origin
from vivienne.alerts.rule import BAR_EVENTS
from vivienne.alerts.standing import Standing
from vivienne.market.timeframe import Timeframe
from vivienne.wire.messages import AGENT

if TYPE_CHECKING:
    from vivienne.alerts.event import NamedRule
    from vivienne.wire.alert import AlertEvent, MarketKind
    from vivienne.wire.messages import AssetData
    from vivienne.wire.state import AssetState


def market_kind(feed: str) -> MarketKind:
    """The kind of market of a feed, by its name in states."""
    return "simulated" if feed == "simulated" else "replay" if feed == "replay" else "real"


def trial_of_state(
    named: NamedRule, message: AssetData | None, asset: str | None, moment: datetime, *, is_example: bool = False
) -> AlertEvent:
    """The test of a rule: what it would send of an asset as it is now.

    Args:
        named: the rule.
        message: the newest state of the asset; None while there is none.
        asset: the asset; None for a test without one.
        moment: now.
        is_example: whether it is of the kind that the rule watches, as far as it is one of bars, and not a test.
    """
    if message is None:
        return Origin("", "real", "", None, "", 0, 60.0).trial_event(named, asset, None, None, moment)
    state = message["agents"][AGENT]["data"]
    timeframe = Timeframe(state["timeframe"])
    origin = Origin(
        run="",
        market=market_kind(state["feed"]),
        feed=state["feed"],
        exchange=state["exchange"],
        timeframe=timeframe.value,
        bar_ms=timeframe.milliseconds,
        bar_seconds=timeframe.milliseconds / 1_000,
    )
    standing = _standing(state, message["config_version"])
    first = named.rule.event[0]
    kind = first if is_example and standing is not None and first in BAR_EVENTS else "test"
    return origin.trial_event(named, message["asset"], state["symbol"], standing, moment, kind)


def _standing(state: AssetState, version: int) -> Standing | None:
    bar_time, price = state["bar_time"], state["price"]
    if bar_time is None or price is None:
        return None
    return Standing(
        bar_time=round(datetime.fromisoformat(bar_time).timestamp() * 1_000),
        level=state["clarity_level"],
        side=state["side"],
        confidence=state["signal_confidence"],
        size=state["position_size"],
        held=tuple(state["blocked_by"]),
        price=price,
        version=version,
    )
