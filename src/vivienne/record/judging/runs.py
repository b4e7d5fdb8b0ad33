"""Runs: bars that follow each other without a hole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vivienne.market.types import BoolArray, IntArray


def run_starts(open_time: IntArray, length_ms: int) -> IntArray:
    """For each bar, the row of the first bar of its run.

    Args:
        open_time: open times of the bars, ms since the epoch, oldest first.
        length_ms: length of a bar.
    """
    first = np.flatnonzero(np.diff(open_time, prepend=-1) != length_ms)
    return first.repeat(np.diff(first, append=len(open_time)))


def decision_starts(open_time: IntArray, is_decided: BoolArray, length_ms: int) -> IntArray:
    """For each bar, the row of the first decision in its run; its own row before that.

    What was decided before is not known: the bars before the first decision have none, or no longer.

    Args:
        open_time: as in `run_starts`.
        is_decided: True for each bar with a decision.
        length_ms: as in `run_starts`.
    """
    rows, own = np.flatnonzero(is_decided), np.arange(len(open_time))
    first = np.append(rows, len(open_time))[np.searchsorted(rows, run_starts(open_time, length_ms))]
    found: IntArray = np.minimum(first, own)
    return found


def bars_ahead(open_time: IntArray, length_ms: int) -> IntArray:
    """For each bar, the number of bars that follow it in its run; arguments as in `run_starts`."""
    last = np.flatnonzero(np.diff(open_time, append=-1) != length_ms)
    return last.repeat(np.diff(last, prepend=-1)) - np.arange(len(open_time))


def merged(times: IntArray, others: IntArray) -> IntArray:
    """Two sequences of times as one, in order, each time once."""
    # NumPy's `unique` takes thirty times as long, because it does not see that they are nearly in order.
    both = np.sort(np.concatenate([times, others]), kind="stable")
    return both[np.diff(both, prepend=-1) > 0]
