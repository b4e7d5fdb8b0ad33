"""Bars of several assets on common times, with the positions that their decisions ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.record.judging.positions import positions, taken
from vivienne.record.judging.runs import merged, run_starts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.market.types import BoolArray, FloatArray, IntArray
    from vivienne.record.columns import DecidedBars
    from vivienne.slices import Pieces


class Grid(NamedTuple):
    """Prices and positions; a row for each time, a column for each asset.

    The times are those at which a bar of some asset opens, and those at which one would have opened but for a hole.
    Where an asset has no bar, both prices are the close of its last one, or its first open before that.

    Attributes:
        time: the times, ms since the epoch, oldest first.
        is_bar: True if the asset has a bar that opens then.
        open, close: prices of the bar.
        target: the position to hold from the open on, in percent of equity, below 0 for a short one.
    """

    time: IntArray
    is_bar: BoolArray
    open: FloatArray
    close: FloatArray
    target: FloatArray


class Followed(NamedTuple):
    """What is followed of the bars of an asset; one value for each bar, oldest first.

    Attributes:
        open_time, open, close: of the bar.
        is_decided: True if a decision on the bar was recorded.
        wanted: the position that the bar asks for; see `vivienne.record.judging.positions.positions`.
    """

    open_time: IntArray
    open: FloatArray
    close: FloatArray
    is_decided: BoolArray
    wanted: FloatArray

    @classmethod
    def of(cls, decided: DecidedBars) -> Followed:
        """That of bars with decisions, which have five times as much."""
        bars = decided.bars
        return cls(bars.open_time, bars.open, bars.close, decided.is_decided, positions(decided))

    def since(self, time: int) -> Followed:
        """The bars that open at or after a time."""
        rows = slice(int(np.searchsorted(self.open_time, time)), None)
        open_time, first, close, is_decided, wanted = self
        return Followed(open_time[rows], first[rows], close[rows], is_decided[rows], wanted[rows])


_MOST_CELLS = 400_000
"""Largest number of times, times assets. Assets with bars at the same times reach it with 200,000 bars, if each is
followed by a hole; those with bars at times of their own with a few hundred."""


def common_times(assets: Sequence[Followed], length_ms: int) -> Pieces[IntArray]:
    """The times of a grid of some assets; of very many the newest ones.

    Args:
        assets: at least one bar of each asset.
        length_ms: length of a bar.
    """
    newest = max(each.open_time.item(-1) for each in assets)
    most = max(1, _MOST_CELLS // len(assets))
    times = np.empty(0, np.int64)
    for each in assets:
        times = merged(times, _times(each.open_time, newest, length_ms))[-most:]
        yield
    return times


def grid(assets: Sequence[Followed], times: IntArray, length_ms: int) -> Pieces[Grid]:
    """Put the bars of several assets on common times.

    Args:
        assets: at least one bar of each asset, and each at one of the times.
        times: of the grid, from `common_times`.
        length_ms: length of a bar.
    """
    shape = len(times), len(assets)
    found = Grid(times, np.zeros(shape, np.bool_), np.empty(shape), np.empty(shape), np.zeros(shape))
    for column, bars in enumerate(assets):
        _fill(found, column, bars, length_ms)
        yield
    return found


def _times(opened: IntArray, newest: int, length_ms: int) -> IntArray:
    """The open times of bars, and the time after the last bar before each hole.

    An asset that is one bar behind the newest bar of all waits for it; one that is further behind has a hole.
    """
    following = np.append(opened[1:], max(newest, opened.item(-1) + length_ms))
    return np.concatenate([opened, opened[following - opened > length_ms] + length_ms])


def _fill(found: Grid, column: int, bars: Followed, length_ms: int) -> None:
    rows = np.searchsorted(found.time, bars.open_time)
    latest = np.full(len(found.time), -1)
    latest[rows] = np.arange(len(rows))
    latest = np.maximum.accumulate(latest)
    is_bar = found.is_bar[:, column]
    is_bar[rows] = True
    known = np.maximum(latest, 0)
    begins = latest < 0
    found.close[:, column] = np.where(begins, bars.open[0], bars.close[known])
    found.open[:, column] = np.where(is_bar | begins, bars.open[known], bars.close[known])
    target = found.target[:, column]
    target[rows] = _targets(bars, length_ms)
    newest, end = bars.open_time[-1], found.time[-1]
    if end == newest + length_ms:  # its bar has not come yet
        target[-1] = target[rows[-1]]


def _targets(bars: Followed, length_ms: int) -> FloatArray:
    """The position to hold during each bar: the one that the bar before asks for, and 0 on the first bar of a run."""
    is_first = run_starts(bars.open_time, length_ms) == np.arange(len(bars.open_time))
    held = taken(bars.wanted, bars.open_time, bars.is_decided, length_ms)
    return np.where(is_first, 0.0, np.append(0.0, held)[:-1])
