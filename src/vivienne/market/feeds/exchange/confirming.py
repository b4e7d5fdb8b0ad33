"""Counts the minutes of an instrument by what became of them, and says where they differ from the exchange's own."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import MinuteClosed, MinuteCorrected
from vivienne.market.feeds.exchange.comparing import Unconfirmed, differing
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vivienne.market.feeds.base import FeedEvent
    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument

_log = logging.getLogger(__name__)
_WARNED_EVERY_SECONDS = 3_600.0


class Confirming:
    """The minutes of an instrument, as they are made.

    Args:
        adapter: of the exchange.
        instrument: whose.

    Attributes:
        unconfirmed: minutes that are still to be compared with the exchange's own.
        filled: number of minutes that came from the exchange when it was asked.
        incomplete: number of minutes that lack trades.
        mismatches: number of minutes that differ from the exchange's own candle.
    """

    def __init__(self, adapter: Adapter, instrument: Instrument) -> None:
        self._adapter = adapter
        self._symbol = instrument.symbol
        self._may_warn_from = 0.0
        self.unconfirmed = Unconfirmed(adapter, instrument)
        self.filled = self.incomplete = self.mismatches = 0

    def take(self, events: Iterable[FeedEvent]) -> bool:
        """Take events in order; whether it is time to compare."""
        is_due = False
        for event in events:
            if isinstance(event, MinuteClosed):
                self.filled += event.source == "filled"
                self.incomplete += event.source == "incomplete"
                is_due = (event.source != "filled" and self.unconfirmed.add(event.candle)) or is_due
            elif isinstance(event, MinuteCorrected):
                self.mismatches += 1
                self.unconfirmed.correct(event.candle)
                self._warn(event)
        return is_due

    def _warn(self, event: MinuteCorrected) -> None:
        """Say once an hour what differs."""
        if monotonic() < self._may_warn_from:
            return
        self._may_warn_from = monotonic() + _WARNED_EVERY_SECONDS
        values = "; ".join(
            f"{name} {getattr(event.was, name):.12g} by the stream, {getattr(event.candle, name):.12g} by the exchange"
            for name in differing(event.was, event.candle, unknown=self._adapter.history_estimates)
        )
        _log.warning(
            "%s %s: the minute %s differs: %s. Further ones are counted only, for an hour",
            self._adapter.title, self._symbol, iso(event.candle.open_time), values,
        )  # fmt: skip

    def counts(self) -> Iterator[tuple[str, int]]:
        """What became of minutes, and of how many."""
        yield "filled", self.filled
        yield "incomplete", self.incomplete
        yield "mismatched", self.mismatches
        yield "unconfirmed", self.unconfirmed.left
