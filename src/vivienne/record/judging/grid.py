"""Bars of several assets on common times, with the positions that their decisions ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.record.judging.positions import paper_positions
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


_MOST_CELLS = 400_000
"""Largest number of times, times assets. Assets with bars at the same times reach it with 200,000 bars, if each is
followed by a hole; those with bars at times of their own with a few hundred."""


def common_times(assets: Sequence[DecidedBars], length_ms: int) -> Pieces[IntArray]:
    """The times of a grid of some assets; of very many the newest ones.

    Args:
        assets: bars with decisions, at least one bar of each asset.
        length_ms: length of a bar.
    """
    newest = max(each.bars.open_time.item(-1) for each in assets)
    most = max(1, _MOST_CELLS // len(assets))
    times = np.empty(0, np.int64)
    for decided in assets:
        times = merged(times, _times(decided.bars.open_time, newest, length_ms))[-most:]
        yield
    return times


def since(decided: DecidedBars, time: int) -> DecidedBars:
    """The bars that open at or after a time."""
    return decided[int(np.searchsorted(decided.bars.open_time, time)) :]


def grid(assets: Sequence[DecidedBars], times: IntArray, length_ms: int) -> Pieces[Grid]:
    """Put the bars of several assets on common times.

    Args:
        assets: bars with decisions, at least one bar of each asset, and each at one of the times.
        times: of the grid, from `common_times`.
        length_ms: length of a bar.
    """
    shape = len(times), len(assets)
    found = Grid(times, np.zeros(shape, np.bool_), np.empty(shape), np.empty(shape), np.zeros(shape))
    for column, decided in enumerate(assets):
        _fill(found, column, decided, length_ms)
        yield
    return found


def _times(opened: IntArray, newest: int, length_ms: int) -> IntArray:
    """The open times of bars, and the time after the last bar before each hole.

    An asset that is one bar behind the newest bar of all waits for it; one that is further behind has a hole.
    """
    following = np.append(opened[1:], max(newest, opened.item(-1) + length_ms))
    return np.concatenate([opened, opened[following - opened > length_ms] + length_ms])


def _fill(found: Grid, column: int, decided: DecidedBars, length_ms: int) -> None:
    bars = decided.bars
    rows = np.searchsorted(found.time, bars.open_time)
    latest = np.full(len(found.time), -1)
    latest[rows] = np.arange(len(bars))
    latest = np.maximum.accumulate(latest)
    is_bar = found.is_bar[:, column]
    is_bar[rows] = True
    known = np.maximum(latest, 0)
    begins = latest < 0
    found.close[:, column] = np.where(begins, bars.open[0], bars.close[known])
    found.open[:, column] = np.where(is_bar | begins, bars.open[known], bars.close[known])
    target = found.target[:, column]
    target[rows] = _targets(decided, length_ms)
    newest, end = bars.open_time[-1], found.time[-1]
    if end == newest + length_ms:  # its bar has not come yet
        target[-1] = target[rows[-1]]


def _targets(decided: DecidedBars, length_ms: int) -> FloatArray:
    """The position to hold during each bar: the one that the bar before asks for, and 0 on the first bar of a run."""
    is_first = run_starts(decided.bars.open_time, length_ms) == np.arange(len(decided))
    return np.where(is_first, 0.0, np.append(0.0, paper_positions(decided, length_ms))[:-1])
