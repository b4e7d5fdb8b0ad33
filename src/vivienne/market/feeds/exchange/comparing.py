"""Compares closed minutes with the exchange's own candles, once it has them."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import MinuteCorrected
from vivienne.market.feeds.exchange.asking import candles_between
from vivienne.market.feeds.exchange.budget import Budget
from vivienne.market.feeds.exchange.rest import Refused
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from vivienne.market.feeds.exchange.adapter import Adapter, HistoryRow, Instrument
    from vivienne.market.feeds.exchange.following import Following
    from vivienne.market.feeds.exchange.patience import Patience
    from vivienne.market.feeds.exchange.rest import Rest

_log = logging.getLogger(__name__)

MOST_UNCONFIRMED = 720
"""Minutes of an instrument that wait to be compared. Older ones are let go, and counted."""
_EVERY_MINUTES, _AFTER_MINUTE = 5, 3
"""Minutes are compared every five, a minute before the end of a bar: so most are corrected before its decision."""
_SHARE = 0.25
"""Part of the exchange's budget that comparing may take."""
_SAME = 1e-9
"""Relative difference up to which sums of the same trades in another order may differ."""
_SAME_WORTH = 1e-6
"""The same for quote volumes, which exchanges round."""


def differing(one: Candle, other: Candle, *, tick_size: float = 0.0, unknown: Collection[str] = ()) -> list[str]:
    """The columns that both candles of a minute know and in which they differ, by more than rounding.

    Args:
        one: a candle.
        other: another one.
        tick_size: of the instrument; exchanges that give a mean price round it to that.
        unknown: columns that are not compared.
    """
    found = []
    for name, mine, theirs in zip(Candle._fields, one, other, strict=True):
        is_worth = name == "quote_volume"
        within = max(_SAME, tick_size * one.volume) if is_worth else _SAME
        is_same = math.isclose(mine, theirs, rel_tol=_SAME_WORTH if is_worth else _SAME, abs_tol=within)
        if not (is_same or math.isnan(mine) or math.isnan(theirs) or name in unknown):
            found.append(name)
    return found


class Unconfirmed:
    """The minutes of an instrument that are still to be compared.

    Args:
        adapter: of the exchange.
        instrument: whose.

    Attributes:
        left: number of minutes that the exchange could not confirm.
    """

    def __init__(self, adapter: Adapter, instrument: Instrument) -> None:
        self._unknown = adapter.history_estimates
        self._tick_size = instrument.tick_size
        self._minutes: dict[int, Candle] = {}
        self.left = 0

    def add(self, candle: Candle) -> bool:
        """Take a minute; whether it is time to compare."""
        self._minutes[candle.open_time] = candle
        while len(self._minutes) > MOST_UNCONFIRMED:
            del self._minutes[next(iter(self._minutes))]  # they come in order
            self.left += 1
        return candle.open_time // MINUTE_MS % _EVERY_MINUTES == _AFTER_MINUTE

    def correct(self, candle: Candle) -> None:
        """A minute was corrected; that does not count again."""
        if candle.open_time in self._minutes:
            self._minutes[candle.open_time] = candle

    def clear(self) -> None:
        """They do not count any longer."""
        self._minutes.clear()

    def span(self) -> tuple[int, int] | None:
        """Begin and end of what is to be asked for, in ms; None if nothing is."""
        return (min(self._minutes), max(self._minutes) + MINUTE_MS) if self._minutes else None

    def compare(self, rows: Sequence[HistoryRow]) -> list[MinuteCorrected]:
        """Compare with what the exchange answered; those that it does not have yet wait for the next time."""
        theirs = {row.candle.open_time: row.candle for row in rows if row.is_closed is not False}
        newest = max(theirs, default=0)
        found: list[MinuteCorrected] = []
        for time in [time for time in self._minutes if time <= newest]:
            mine, other = self._minutes.pop(time), theirs.get(time)
            if other is None:
                # Some exchanges have no candle of a minute without trades.
                self.left += mine.volume > 0
            elif differing(mine, other, tick_size=self._tick_size, unknown=self._unknown):
                found.append(MinuteCorrected(other, mine))
        return found


class Comparing:
    """Compares the minutes of all instruments of an exchange, with one request at a time.

    Args:
        adapter: of the exchange.
        rest: its REST side.
        patience: how long it waits until the exchange has a minute.
    """

    def __init__(self, adapter: Adapter, rest: Rest, patience: Patience) -> None:
        self._adapter = adapter
        self._rest = rest
        self._patience = patience
        self._budget = Budget(adapter.limits.weight_per_minute * _SHARE)
        self._due: dict[Following, None] = {}  # in the order in which they came
        self._is_due = asyncio.Event()

    def add(self, following: Following) -> None:
        """It is time to compare the minutes of an instrument."""
        self._due[following] = None
        self._is_due.set()

    async def run(self) -> None:
        """Compare, until it is cancelled."""
        while True:
            await self._is_due.wait()
            await asyncio.sleep(self._patience.settled)
            self._is_due.clear()
            while self._due:
                following = next(iter(self._due))
                del self._due[following]
                await self._compare(following)

    async def _compare(self, following: Following) -> None:
        span = following.made.unconfirmed.span()
        if span is None:
            return
        request = self._adapter.history_request(following.instrument, 1, *span)
        pages = -(-(span[1] - span[0]) // (MINUTE_MS * self._adapter.history_rows))
        await self._budget.take(request.weight * pages)
        try:
            rows = await candles_between(self._rest, self._adapter, following.instrument, 1, *span)
        except Refused as refused:  # they are compared with the next ones
            _log.debug("%s: minutes were not compared: %s", following.instrument.symbol, refused)
        else:
            following.confirm(rows)
