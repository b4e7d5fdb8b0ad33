"""Alerts, rules and channels for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne.alerts.rule import Rule

if TYPE_CHECKING:
    from vivienne.wire.alert import AlertEvent

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="


def event(number: int = 1, **changed: Any) -> AlertEvent:
    """An alert."""
    made: dict[str, Any] = {
        "id": f"evt_{number:026d}",
        "type": "level",
        "alert": {"id": "al_000000000001", "name": "bangs", "version": 1},
        "asset": "BTC",
        "exchange": None,
        "symbol": "BTC",
        "side": "long",
        "clarity_level": "bang",
        "position_size": 10.0,
        "signal_confidence": 0.8,
        "price": 100.0,
        "bar_time": "2026-01-01T00:00:00.000Z",
        "timeframe": "15m",
        "time": "2026-01-01T00:15:00.000Z",
        "config_version": 1,
        "feed": "simulated",
        "market": "simulated",
        "text": "BTC is at bang",
        "expires_at": "2026-01-01T00:30:00.000Z",
        "previous": None,
        "details": {},
    }
    return {**made, **changed}  # type: ignore[typeddict-item]  # of the same fields


def rule(*channels: dict[str, Any], **changed: Any) -> Rule:
    """A rule with these channels, as it is sent: its secrets are not encrypted yet."""
    numbered = [{"id": f"c{number}", **channel} for number, channel in enumerate(channels, 1)]
    return Rule.model_validate({"name": "bangs", "assets": ["*"], "event": "level", "channels": numbered, **changed})


def webhook(url: str, **changed: Any) -> dict[str, Any]:
    """A channel with a webhook."""
    return {"type": "webhook", "url": url, "secret": SECRET, **changed}
