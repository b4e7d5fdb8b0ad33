"""Candles without a gap: quiet ones where nothing was traded, and nothing from before a long gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Sequence


def unbroken(bars: Sequence[Candle], length: int, longest_minutes: int, end: int) -> list[Candle]:
    """The bars after the last long gap, with quiet ones in short gaps, up to a time.

    Args:
        bars: oldest first.
        length: of a bar, in ms.
        longest_minutes: longest gap that is filled.
        end: open time of the bar that is open.
    """
    begin = 0
    for place in range(1, len(bars)):
        missing = (bars[place].open_time - bars[place - 1].open_time - length) // MINUTE_MS
        if missing > longest_minutes:
            begin = place
    kept = bars[begin:]
    if not kept or (end - kept[-1].open_time - length) // MINUTE_MS > longest_minutes:
        return []
    return with_quiet(kept, None, kept[0].open_time, length, end)


def with_quiet(
    candles: Sequence[Candle], close: float | None, begin: int, length: int, end: int | None = None
) -> list[Candle]:
    """Candles from a time on without a gap: where the exchange has none there were no trades.

    Args:
        candles: oldest first.
        close: the last price before them; None if none is known.
        begin: open time of the first.
        length: of a candle, in ms.
        end: they end here; None for the end of the last one there is.
    """
    found: list[Candle] = []
    time = begin
    for candle in candles:
        found += _quiet(close, time, candle.open_time, length)
        found.append(candle)
        time, close = candle.open_time + length, candle.close
    return found + _quiet(close, time, time if end is None else end, length)


def _quiet(close: float | None, begin: int, end: int, length: int) -> list[Candle]:
    if close is None:
        return []
    return [Candle(time, close, close, close, close, 0.0, 0.0, 0.0, 0.0) for time in range(begin, end, length)]
