"""Makes the alerts of what happened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from vivienne.alerts.texts import text_of
from vivienne.times import iso, written

if TYPE_CHECKING:
    from vivienne.alerts.happenings import Happening
    from vivienne.alerts.rule import Rule
    from vivienne.alerts.standing import Standing
    from vivienne.wire.alert import AlertEvent, EventType, MarketKind


class NamedRule(Protocol):
    """A rule in force."""

    @property
    def alert_id(self) -> str:
        """Its id."""

    @property
    def version(self) -> int:
        """The version that it has been so since."""

    @property
    def rule(self) -> Rule:
        """The rule."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What all alerts of a process have in common.

    Attributes:
        run: key of the course of market time. The same bar of another run is another event.
        market: kind of the market.
        feed: its name.
        exchange: the exchange; None without one.
        timeframe: of the bars.
        bar_ms: length of a bar in market time.
        bar_seconds: length of a bar in real time.
    """

    run: str
    market: MarketKind
    feed: str
    exchange: str | None
    timeframe: str
    bar_ms: int
    bar_seconds: float

    def id_of(self, named: NamedRule, *parts: object) -> str:
        """The id of an event of a rule: the same whoever decides it, and however often."""
        content = "|".join(map(str, (self.run, named.alert_id, *parts)))
        return "evt_" + hashlib.sha256(content.encode()).hexdigest()[:26]

    def bar_event(
        self,
        named: NamedRule,
        happening: Happening,
        asset: str,
        symbol: str | None,
        before: Standing,
        now: Standing,
        moment: datetime,
    ) -> AlertEvent:
        """The alert of a closed bar.

        Args:
            named: the rule.
            happening: what the bar caused.
            asset: the asset.
            symbol: at the exchange; None without one.
            before: the bar before.
            now: the bar.
            moment: of the decision.
        """
        event = self._event(named, happening.type, self.id_of(named, asset, now.bar_time), moment, happening.details)
        self._fill(event, asset, symbol, now)
        event["previous"] = before.entry()
        event["expires_at"] = written(self._expiry(named.rule, now.bar_time, moment))
        event["text"] = text_of(named.rule, event)
        return event

    def other_event(
        self,
        named: NamedRule,
        happening: Happening,
        asset: str | None,
        symbol: str | None,
        standing: Standing | None,
        version: int,
        moment: datetime,
        *distinguishing: object,
    ) -> AlertEvent:
        """The alert of an event that no bar caused.

        Args:
            named: the rule.
            happening: what happened.
            asset: the asset; None if it concerns none, or all.
            symbol: at the exchange; None without one.
            standing: of the asset, as far as it is known.
            version: of the configuration.
            moment: when it happened.
            distinguishing: tells it from other events of the rule.
        """
        kind = happening.type
        event = self._event(named, kind, self.id_of(named, kind, asset, *distinguishing), moment, happening.details)
        if asset is not None:
            event["asset"], event["symbol"] = asset, symbol or asset
        if asset is not None and standing is not None:
            self._fill(event, asset, symbol, standing)
        event["config_version"] = version
        event["expires_at"] = written(moment + timedelta(seconds=named.rule.expires_after or self.bar_seconds))
        event["text"] = text_of(named.rule, event)
        return event

    def trial_event(
        self,
        named: NamedRule,
        asset: str | None,
        symbol: str | None,
        standing: Standing | None,
        moment: datetime,
        kind: EventType | Literal["test"] = "test",
    ) -> AlertEvent:
        """A test, or an example of a kind: what the rule would send of the asset as it is now."""
        event = self._event(named, kind, self.id_of(named, "test", moment), moment, {})
        event["id"] = event["id"].replace("evt_", "evt_test_")
        if asset is not None:
            event["asset"], event["symbol"] = asset, symbol or asset
        if asset is not None and standing is not None:
            self._fill(event, asset, symbol, standing)
            event["previous"] = standing.entry()
        event["text"] = text_of(named.rule, event)
        return event

    def _event(
        self, named: NamedRule, kind: EventType | Any, event_id: str, moment: datetime, details: dict[str, Any]
    ) -> AlertEvent:
        return {
            "id": event_id,
            "type": kind,
            "alert": {"id": named.alert_id, "name": named.rule.name, "version": named.version},
            "asset": None,
            "exchange": self.exchange,
            "symbol": None,
            "side": None,
            "clarity_level": None,
            "position_size": None,
            "signal_confidence": None,
            "price": None,
            "bar_time": None,
            "timeframe": self.timeframe,
            "time": written(moment),
            "config_version": 0,
            "feed": self.feed,
            "market": self.market,
            "text": "",
            "expires_at": written(moment + timedelta(seconds=self.bar_seconds)),
            "previous": None,
            "details": details,
        }

    def _fill(self, event: AlertEvent, asset: str, symbol: str | None, standing: Standing) -> None:
        """Fill in what is known of an asset."""
        event["asset"], event["symbol"] = asset, symbol or asset
        event["side"], event["clarity_level"] = standing.side, standing.level
        event["position_size"], event["signal_confidence"] = standing.size, standing.confidence
        event["price"], event["bar_time"] = standing.price, iso(standing.bar_time)
        event["config_version"] = standing.version

    def _expiry(self, rule: Rule, bar_time: int, moment: datetime) -> datetime:
        """The end of the bar after the one that was decided; of a market that is not real, in real time."""
        if self.market != "real":
            return moment + timedelta(seconds=rule.expires_after or self.bar_seconds)
        closed = datetime.fromtimestamp((bar_time + self.bar_ms) / 1000, UTC)
        return closed + timedelta(seconds=rule.expires_after or self.bar_ms / 1000)
