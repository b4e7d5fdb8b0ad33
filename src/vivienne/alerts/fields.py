"""Fields that a template can use, and their values in an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.wire.alert import AlertEvent

FIELDS: Mapping[str, str] = {
    "id": "id of the alert; the same in every attempt to deliver it",
    "type": "kind of the event, such as level or entry",
    "name": "name of the rule",
    "alert_id": "id of the rule",
    "text": "text of the alert; not in the text itself",
    "asset": "the asset, such as BTC",
    "exchange": "the exchange; empty for other markets",
    "symbol": "symbol at the exchange; otherwise the asset",
    "side": "long, short or none",
    "clarity_level": "idle, loaded, aim or bang",
    "position_size": "target size in percent of equity",
    "signal_confidence": "0 to 1",
    "price": "close of the bar",
    "bar_time": "open time of the bar, ISO 8601",
    "timeframe": "timeframe of the bar, such as 15m",
    "time": "time of the decision, ISO 8601",
    "config_version": "version of the configuration",
    "feed": "the feed, such as exchange or simulated",
    "market": "real, simulated or replay",
    "expires_at": "time after which nobody should act on it",
    "previous.clarity_level": "level of the bar before",
    "previous.side": "side of the bar before",
    "previous.position_size": "target size of the bar before",
    "previous.signal_confidence": "confidence of the bar before",
    "reason": "reason of a pause, of a change, or of a trouble",
    "filters": "filters that hold an entry back",
    "author": "author of a change or a pause",
    "changed": "changed values",
    "status": "status of the asset, the feed or the part",
    # Names of TradingView, so that the templates of its users work as they are.
    "ticker": "the same as symbol",
    "close": "the same as price",
    "interval": "the same as timeframe",
    "timenow": "the same as time",
    "strategy.order.action": "buy or sell, as the target has grown or shrunk",
    "strategy.order.price": "the same as price",
    "strategy.market_position": "long, short or flat",
    "strategy.market_position_size": "the same as position_size",
    "strategy.prev_market_position": "the position of the bar before: long, short or flat",
}
"""By name, the meaning."""
_DETAILS = ("reason", "filters", "author", "changed", "status")
_PREVIOUS = ("clarity_level", "side", "position_size", "signal_confidence")
_PLAIN = (
    "id", "type", "text", "asset", "exchange", "symbol", "side", "clarity_level", "position_size", "signal_confidence",
    "price", "bar_time", "timeframe", "time", "config_version", "feed", "market", "expires_at",
)  # fmt: skip


def values_of(event: AlertEvent) -> dict[str, Any]:
    """The values of an alert, by the names of `FIELDS`."""
    found: dict[str, Any] = {name: event.get(name) for name in _PLAIN}
    found |= {name: event["details"].get(name) for name in _DETAILS}
    found |= {"name": event["alert"]["name"], "alert_id": event["alert"]["id"]}
    previous = event["previous"]
    found |= {f"previous.{name}": None if previous is None else previous.get(name) for name in _PREVIOUS}
    now = signed(event["side"], event["position_size"])
    before = 0.0 if previous is None else signed(previous["side"], previous["position_size"])
    return found | {
        "ticker": event["symbol"],
        "close": event["price"],
        "interval": event["timeframe"],
        "timenow": event["time"],
        "strategy.order.action": "buy" if now > before else "sell" if now < before else "",
        "strategy.order.price": event["price"],
        "strategy.market_position": _position(now),
        "strategy.market_position_size": event["position_size"],
        "strategy.prev_market_position": _position(before),
    }


def signed(side: str | None, size: float | None) -> float:
    """A target as one number: negative if it is short."""
    if size is None or side not in ("long", "short"):
        return 0.0
    return size if side == "long" else -size


def _position(target: float) -> str:
    return "flat" if target == 0 else "long" if target > 0 else "short"
