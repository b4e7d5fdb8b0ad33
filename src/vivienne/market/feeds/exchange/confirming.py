"""Counts the minutes of an instrument by what became of them, and says where they differ from the exchange's own."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import MinuteClosed, MinuteCorrected
from vivienne.market.feeds.exchange.unconfirmed import Unconfirmed, differing
from vivienne.market.types import MINUTE_MS
from vivienne.rates import Quota
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vivienne.market.feeds.base import FeedEvent
    from vivienne.market.feeds.exchange.adapter import Adapter, HistoryRow, Instrument

_log = logging.getLogger(__name__)
_left_out = Quota(_log, logging.WARNING)
_late = Quota(_log, logging.WARNING)

_WARNED_EVERY_SECONDS = 3_600.0
_SURELY_SETTLED_MS = 60 * MINUTE_MS
"""What was over so long when it was asked for is not compared: after a long outage that would be hundreds."""


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
        late: number of minutes whose trades came after they were closed.
    """

    def __init__(self, adapter: Adapter, instrument: Instrument) -> None:
        self._adapter = adapter
        self._symbol = instrument.symbol
        self._may_warn_from = 0.0
        self.unconfirmed = Unconfirmed(adapter, instrument)
        self._told_left_out = 0
        self._settled_to = 0
        self.filled = self.incomplete = self.mismatches = self.late = 0

    def begin_again(self) -> None:
        """Forget what minutes there were: a new history tells what they are."""
        self.unconfirmed.clear()
        self._told_left_out = self._settled_to = 0

    def answered(self, rows: Sequence[HistoryRow], asked: int) -> None:
        """Take note of an answer, asked for at this time of the exchange: what was over long before needs no more."""
        newest = max((row.candle.open_time for row in rows), default=0)
        self._settled_to = min(newest, asked - _SURELY_SETTLED_MS)

    def _is_settled(self, event: MinuteClosed) -> bool:
        return event.source == "filled" and event.candle.open_time < self._settled_to

    def take(self, events: Iterable[FeedEvent], short: Iterable[int] = ()) -> bool:
        """Take events in order; whether it is time to compare.

        Args:
            events: of minutes, and others.
            short: minutes that lack trades that came after they were closed.
        """
        is_due = False
        for event in events:
            if isinstance(event, MinuteClosed):
                self.filled += event.source == "filled"
                self.incomplete += event.source == "incomplete"
                is_due = (not self._is_settled(event) and self.unconfirmed.add(event.candle)) or is_due
            elif isinstance(event, MinuteCorrected):
                self.mismatches += 1
                self.unconfirmed.correct(event.candle)
                self._warn(event)
        return bool(short and self._tell_late(short)) or is_due

    def _tell_late(self, short: Iterable[int]) -> bool:
        """Say that minutes were closed too early; whether any is to be compared for that."""
        found = self.unconfirmed.prove_short(short)
        for minute in found:
            self.late += 1
            _late.log(
                "%s %s: trades of the minute %s came after it was closed; it is compared with that of the exchange",
                self._adapter.title, self._symbol, iso(minute),
            )  # fmt: skip
        return bool(found)

    def tell_left_out(self, count: int) -> None:
        """Say that trades were left out, so many since the history was read, whose minute is asked for."""
        new, self._told_left_out = count - self._told_left_out, count
        if new > 0:
            title = self._adapter.title
            _left_out.log(
                "%s %s: %d trades were more than are kept; their minute is asked for", title, self._symbol, new
            )

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
        yield "late", self.late
        yield "unconfirmed", self.unconfirmed.left
