"""Alerts that are held back: too soon after the last one, or within quiet hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from vivienne.alerts.rule import Rule
    from vivienne.store.alert import Fired

MOST_KNOWN = 100_000
"""Rules and assets of which the last alert is known; the oldest is forgotten first, and may come too soon."""


class LastAlerts:
    """The time of the last alert of each rule and asset.

    Of alerts that bars cause it is time of the market, so that a restart or another pace changes nothing.
    """

    def __init__(self) -> None:
        self._times: dict[tuple[str, str | None], int] = {}

    def recall(self, fired: Iterable[Fired]) -> None:
        """Know alerts of earlier processes."""
        for alert_id, asset, _, time in fired:
            if time is not None:
                self._note((alert_id, asset), max(time, self._times.get((alert_id, asset), time)))

    def comes(
        self, alert_id: str, rule: Rule, asset: str | None, time: int, *, is_bar: bool, is_always: bool = False
    ) -> bool:
        """Tell whether an alert comes, and note it if so.

        Args:
            alert_id: of the rule.
            rule: the rule.
            asset: the asset; None if it concerns none.
            time: of the event, ms since the epoch.
            is_bar: a closed bar caused it.
            is_always: it comes however soon.
        """
        last = self._times.get((alert_id, asset))
        if last is not None and not is_always:
            is_same = is_bar and rule.once_per_bar and time == last
            if is_same or abs(time - last) < rule.cooldown * 1_000:
                return False
        self._note((alert_id, asset), time)
        return True

    def _note(self, key: tuple[str, str | None], time: int) -> None:
        self._times.pop(key, None)
        self._times[key] = time
        if len(self._times) > MOST_KNOWN:
            del self._times[next(iter(self._times))]


def is_quiet(rule: Rule, moment: datetime) -> bool:
    """Tell whether a moment is within the quiet hours of a rule."""
    return any(hours.cover(moment) for hours in rule.quiet)
