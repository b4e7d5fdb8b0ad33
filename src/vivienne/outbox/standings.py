"""The closed bars of each asset in order, those too that closed while no process was there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple, Protocol

from vivienne.alerts.standing import Standing, standing_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vivienne.live.asset import LiveAsset

_log = logging.getLogger(__name__)

MOST_MISSED = 200
"""Closed bars without an alert that are looked at after a stop; older ones are passed over."""


class Assets(Protocol):
    """A market, as far as alerts look at it."""

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that are decided."""

    def seen(self, asset: str) -> LiveAsset:
        """An asset as it is now."""


class Step(NamedTuple):
    """A closed bar and the one before."""

    asset: str
    before: Standing
    now: Standing


class Standings:
    """Knows the last bar of each asset that alerts have looked at.

    Args:
        market: has the closed bars.
        bar_ms: length of a bar.
    """

    def __init__(self, market: Assets, bar_ms: int) -> None:
        self._market = market
        self._bar_ms = bar_ms
        self._last: dict[str, Standing] = {}

    def recall(self, stored: Mapping[str, str]) -> None:
        """Know the bars that earlier processes looked at."""
        for asset, text in stored.items():
            if asset in self._market.assets:
                try:
                    self._last[asset] = Standing.load(text)
                except ValueError:
                    _log.warning("The stored state of the alerts of %s cannot be read and is ignored", asset)

    def last(self, asset: str) -> Standing | None:
        """The last bar of an asset; None while none is known."""
        return self._last.get(asset)

    def missed(self, asset: str, until: int | None = None) -> Iterator[Step]:
        """Go through the bars of an asset that closed since the last one; without one, begin with the newest.

        Args:
            asset: the asset.
            until: only bars that open before this; None for all.
        """
        last = self._last.get(asset)
        most = 1 if last is None else MOST_MISSED
        after = -1 if last is None else last.bar_time
        for made, close in self._market.seen(asset).decided_after(after, most):
            if until is not None and made.decision.open_time >= until:
                return
            effective = made.decision.ready and not made.is_paused
            yield from self._next(asset, standing_of(made.decision, close, made.config_version, has_effect=effective))

    def closed(self, asset: str, now: Standing) -> Iterator[Step]:
        """Go on to a bar that was decided; after a gap, the bars between are looked at first."""
        before = self._last.get(asset)
        if before is not None and now.bar_time - before.bar_time > self._bar_ms:
            yield from self.missed(asset, until=now.bar_time)
        yield from self._next(asset, now)

    def _next(self, asset: str, now: Standing) -> Iterator[Step]:
        before = self._last.get(asset)
        if before is not None and now.bar_time <= before.bar_time:
            return
        self._last[asset] = now
        if before is not None:
            yield Step(asset, before, now)
