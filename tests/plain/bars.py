"""Bars from one-minute candles."""

from __future__ import annotations

from itertools import pairwise
from math import nan
from typing import TYPE_CHECKING

from vivienne.market.types import Candle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MINUTE = 60_000


def plain_bars(minutes: Sequence[Candle], length: int) -> list[Candle]:
    """The whole bars of so many minutes since the market last restarted."""
    by_bar: dict[int, list[Candle]] = {}
    for minute in _filled(minutes, max(60, length)):
        by_bar.setdefault(minute.open_time // (length * MINUTE), []).append(minute)
    return [_bar(inside) for inside in by_bar.values() if len(inside) == length]


def _filled(minutes: Sequence[Candle], limit: int) -> Iterator[Candle]:
    """All minutes after the last hole longer than the limit; those missing are without trades at the last close."""
    missing = [(after.open_time - before.open_time) // MINUTE - 1 for before, after in pairwise(minutes)]
    begin = max((place for place, count in enumerate(missing, 1) if count > limit), default=0)
    for place in range(begin, len(minutes)):
        if place > begin:
            close = minutes[place - 1].close
            for number in range(missing[place - 1]):
                opened = minutes[place - 1].open_time + (number + 1) * MINUTE
                yield Candle(opened, close, close, close, close, 0.0, 0.0, 0.0, 0.0)
        yield minutes[place]


def _bar(minutes: Sequence[Candle]) -> Candle:
    sums = [0.0] * 4
    for minute in minutes:
        is_known = (minute.volume == 0) == (minute.quote_volume == 0)
        volumes = minute[5:] if is_known else (minute.volume, nan, *minute[7:])
        sums = [total + added for total, added in zip(sums, volumes, strict=True)]
    return Candle(
        minutes[0].open_time,
        minutes[0].open,
        max(minute.high for minute in minutes),
        min(minute.low for minute in minutes),
        minutes[-1].close,
        *sums,
    )
