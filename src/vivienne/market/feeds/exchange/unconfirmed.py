"""Minutes of an instrument that are still to be compared with the exchange's own candles, and what comes of that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import MinuteCorrected
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from vivienne.market.feeds.exchange.adapter import Adapter, HistoryRow, Instrument

MOST_UNCONFIRMED = 720
"""Minutes of an instrument that wait to be compared. Older ones are let go, and counted."""
_EVERY_MINUTES, _AFTER_MINUTE = 5, 3
"""Minutes are compared every five, a minute before the end of a bar: so most are corrected before its decision."""
_LOOKS_SOON = 4
"""So often a minute that differs is looked at again soon; after that with the next ones."""
_MOST_LOOKS = 12
"""A minute that differed so often, and each time in another way, cannot be confirmed."""
_MOST_CORRECTIONS = 3
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


@dataclass(slots=True)
class _Waiting:
    """A minute that waits.

    Attributes:
        candle: as it was made, or corrected.
        seen: what the exchange said of it, where that differs.
        looks: how often it differed.
        corrections: how often it was corrected.
        is_short: whether trades came after it was made.
    """

    candle: Candle
    seen: Candle | None = None
    looks: int = 0
    corrections: int = 0
    is_short: bool = False


class Unconfirmed:
    """See above. What answers may be behind the stream, so that a difference alone says nothing.

    A minute is confirmed, or corrected, only by an answer that has a later minute too, and corrected only where a
    second answer says the same as the first. After that it is compared once more.

    Args:
        adapter: of the exchange.
        instrument: whose.

    Attributes:
        left: number of minutes that the exchange could not confirm.
        is_open: whether a minute differs that should be looked at again soon.
    """

    def __init__(self, adapter: Adapter, instrument: Instrument) -> None:
        self._unknown = adapter.history_estimates
        self._tick_size = instrument.tick_size
        self._minutes: dict[int, _Waiting] = {}
        self.left = 0
        self.is_open = False

    def add(self, candle: Candle) -> bool:
        """Take a minute; whether it is time to compare."""
        self._minutes[candle.open_time] = _Waiting(candle)
        while len(self._minutes) > MOST_UNCONFIRMED:
            del self._minutes[next(iter(self._minutes))]  # they come in order
            self.left += 1
        return candle.open_time // MINUTE_MS % _EVERY_MINUTES == _AFTER_MINUTE

    def prove_short(self, minutes: Iterable[int]) -> list[int]:
        """Trades came after these minutes were made; those of them that wait, and were not known to be short."""
        found = [time for time in minutes if time in self._minutes and not self._minutes[time].is_short]
        for time in found:
            self._minutes[time].is_short = True
        return found

    def correct(self, candle: Candle) -> None:
        """A minute was corrected; that does not count again."""
        if candle.open_time in self._minutes:
            self._minutes[candle.open_time].candle = candle

    def clear(self) -> None:
        """They do not count any longer."""
        self._minutes.clear()
        self.is_open = False

    def span(self) -> tuple[int, int] | None:
        """Begin and end of what is to be asked for, in ms; None if nothing is. It ends with a minute that follows."""
        return (min(self._minutes), max(self._minutes) + 2 * MINUTE_MS) if self._minutes else None

    def compare(self, rows: Sequence[HistoryRow]) -> list[MinuteCorrected]:
        """Compare with what the exchange answered; those that it does not have yet wait for the next time."""
        theirs = {row.candle.open_time: row.candle for row in rows if row.is_closed is not False}
        newest = max((row.candle.open_time for row in rows), default=0)
        found: list[MinuteCorrected] = []
        self.is_open = False
        before: Candle | None = None
        for time, waiting in list(self._minutes.items()):
            other = theirs.get(time)
            if before is not None and before.open_time + MINUTE_MS == time and other is None:
                found += self._follow(waiting, before)
            if other is None:
                # Some exchanges have no candle of a minute without trades. As long as the one before may be corrected,
                # so may this one.
                if time < newest and time - MINUTE_MS not in self._minutes:
                    self._leave(time, is_known=waiting.candle.volume == 0)
            elif not self._differ(waiting.candle, other):
                self._agree(time, waiting, has_later=time < newest)
            elif self._is_sure(waiting, other, has_later=time < newest):
                found.append(MinuteCorrected(other, waiting.candle))
                self._replace(time, waiting, other)
            elif waiting.looks >= _MOST_LOOKS:
                self._leave(time, is_known=False)
            before = self._minutes.get(time, waiting).candle
        return found

    def _follow(self, waiting: _Waiting, before: Candle) -> list[MinuteCorrected]:
        """A minute without trades has the close of the one before, also where that was corrected since."""
        was, close = waiting.candle, before.close
        if was.volume or was.close == close:
            return []
        waiting.candle = was._replace(open=close, high=close, low=close, close=close)
        return [MinuteCorrected(waiting.candle, was)]

    def _agree(self, time: int, waiting: _Waiting, *, has_later: bool) -> None:
        """The exchange says the same, which counts once it has a later minute. One that is short is awaited."""
        if has_later:
            del self._minutes[time]
        elif waiting.is_short and waiting.looks < _LOOKS_SOON:
            waiting.looks += 1
            self.is_open = True

    def _differ(self, one: Candle, other: Candle) -> bool:
        return bool(differing(one, other, tick_size=self._tick_size, unknown=self._unknown))

    def _is_sure(self, waiting: _Waiting, other: Candle, *, has_later: bool) -> bool:
        """Take a candle that differs; whether it is surely the right one."""
        is_same = waiting.seen is not None and not self._differ(waiting.seen, other)
        waiting.seen = other
        waiting.looks += 1
        if not has_later and waiting.looks <= _LOOKS_SOON:
            is_sure = False
        else:
            # It is known that trades are missing, and here they are.
            is_sure = is_same or (has_later and waiting.is_short and other.volume > waiting.candle.volume)
        self.is_open = self.is_open or (not is_sure and waiting.looks % (_LOOKS_SOON + 1) != 0)
        return is_sure

    def _replace(self, time: int, waiting: _Waiting, other: Candle) -> None:
        """Correct a minute, and compare it once more with the next ones."""
        if waiting.corrections + 1 == _MOST_CORRECTIONS:
            self._leave(time, is_known=False)
        else:
            self._minutes[time] = _Waiting(other, corrections=waiting.corrections + 1)

    def _leave(self, time: int, *, is_known: bool) -> None:
        del self._minutes[time]
        self.left += not is_known
