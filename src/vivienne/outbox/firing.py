"""Finds the rules that something which happened is for, and makes their alerts. Pure but for counts and the clock."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from vivienne.alerts.happenings import happened, possible
from vivienne.outbox.backlog import FiredAlert, Occurrence
from vivienne.outbox.holding_back import is_quiet
from vivienne.store.alert import StoredEvent
from vivienne.times import now

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Sequence

    from vivienne.alerts.event import Origin
    from vivienne.alerts.happenings import Happening
    from vivienne.alerts.rulebook import Rulebook
    from vivienne.changes.alerts.in_force import RuleInForce
    from vivienne.changes.service import ConfigService
    from vivienne.live.market import Market
    from vivienne.outbox.backlog import Decide
    from vivienne.outbox.holding_back import LastAlerts
    from vivienne.outbox.standings import Standings, Step
    from vivienne.outbox.watching import Noticed
    from vivienne.slices import Pieces
    from vivienne.wire.alert import AlertEvent

    _Fired = deque[FiredAlert | Occurrence]


class Firing:
    """Makes the alerts of rules.

    Args:
        market: has the symbols of assets.
        service: has the newest version, and counts.
        origin: what all alerts of this process have in common.
        standings: the newest closed bars that were looked at.
        last_alerts: of each rule and asset.

    Attributes:
        late: alerts of bars that had expired before they were decided.
        held_back: alerts that came too soon after the last one.
    """

    def __init__(
        self, market: Market, service: ConfigService, origin: Origin, standings: Standings, last_alerts: LastAlerts
    ) -> None:
        self._market = market
        self._service = service
        self._origin = origin
        self._standings = standings
        self._last_alerts = last_alerts
        self.late = self.held_back = 0

    def of_bars(self, asset: str, steps: Sequence[Step], moment: datetime) -> Decide:
        """The alerts of closed bars of an asset, which were noted at a moment."""
        return partial(self._of_bars, asset, steps, moment)

    def of_noticed(self, noticed: Sequence[Noticed], moment: datetime) -> Decide:
        """The alerts of other things, likewise."""
        return partial(self._of_noticed, noticed, moment)

    def _of_bars(
        self, asset: str, steps: Sequence[Step], moment: datetime, book: Rulebook[RuleInForce], fired: _Fired
    ) -> Pieces[None]:
        yield from book.look_up(asset)
        for step in steps:
            kinds = possible(step.before, step.now)
            for named in book.of_bar(asset, kinds):
                happening = happened(named.rule, step.before, step.now, kinds)
                if happening is not None:
                    event = self._of_bar(named, happening, asset, step, moment)
                    self._fire(fired, named, event, step.now.bar_time, moment)
                yield
            yield

    def _of_bar(self, named: RuleInForce, happening: Happening, asset: str, step: Step, moment: datetime) -> AlertEvent:
        symbol = self._market.seen(asset).symbol
        return self._origin.bar_event(named, happening, asset, symbol, step.before, step.now, moment)

    def _of_noticed(
        self, several: Sequence[Noticed], moment: datetime, book: Rulebook[RuleInForce], fired: _Fired
    ) -> Pieces[None]:
        for noticed in several:
            yield from self._notice(noticed, moment, book, fired)

    def _notice(self, noticed: Noticed, moment: datetime, book: Rulebook[RuleInForce], fired: _Fired) -> Pieces[None]:
        kind, asset = noticed.happening.type, noticed.asset
        version = self._service.newest[0] if noticed.version is None else noticed.version
        standing = None if asset is None else self._standings.last(asset)
        is_here = asset is not None and asset in self._market.assets
        symbol = self._market.seen(asset).symbol if asset is not None and is_here else None
        rules = yield from book.watching(kind, noticed.bears_on)
        for named in rules:
            if (yield from noticed.wants(named.rule)):
                event = self._origin.other_event(
                    named, noticed.happening, asset, symbol, standing, version, moment, noticed.key
                )
                self._fire(fired, named, event, int(moment.timestamp() * 1_000), moment, is_bar=False)
            yield

    def _fire(
        self, fired: _Fired, named: RuleInForce, event: AlertEvent, time: int, moment: datetime, *, is_bar: bool = True
    ) -> None:
        """Keep an alert, unless it is too late, or too soon after the last one."""
        if datetime.fromisoformat(event["expires_at"]) < now() and is_bar:
            self.late += 1
            return
        # A bot that heard of a resumption last, and not of the pause after it, would go on.
        is_always = event["type"] == "pause"
        if not self._last_alerts.comes(
            named.alert_id, named.rule, event["asset"], time, is_bar=is_bar, is_always=is_always
        ):
            self.held_back += 1
            return
        stored = StoredEvent(
            event_id=event["id"],
            alert_id=named.alert_id,
            run=self._origin.run,
            asset=event["asset"],
            bar_time=time,
            created_at=event["time"],
            event=event,
        )
        fired.append(FiredAlert(named, stored, is_quiet(named.rule, moment), moment.timestamp()))
        self._service.metrics.count("vivienne_alerts_fired_total", event["type"])
