"""Recorded bars, decided anew with another configuration."""

from __future__ import annotations

from statistics import median_high
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.agent.evaluate import FULL_HISTORY, evaluate
from vivienne.agent.filters import FILTERS
from vivienne.record.columns import DecidedBars
from vivienne.record.judging.runs import run_starts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.agent.evaluate import Evaluation
    from vivienne.agent.schema import Configuration
    from vivienne.market.timeframe import Timeframe
    from vivienne.market.types import Bars
    from vivienne.slices import Pieces

_ROWS = 50
"""Number of bars that are decided at a time. It divides the number of bars that share an anchor."""
_SETS = tuple(
    tuple(each.name for place, each in enumerate(FILTERS) if code >> place & 1) for code in range(2 ** len(FILTERS))
)
"""All sets of filters; bit n of the index is filter n."""
_BITS = 2 ** np.arange(len(FILTERS))[:, np.newaxis]


class Deciding(NamedTuple):
    """What decides, and for which version.

    Attributes:
        config: all tunables.
        version: its number.
        cap: the largest position size, in percent of equity.
        timeframe: of the bars.
        needs_full_history: whether a decision needs the full history.
    """

    config: Configuration
    version: int
    cap: float
    timeframe: Timeframe
    needs_full_history: bool = False


def usual_size(deciding: Deciding) -> float:
    """A usual position of a configuration, in percent of equity, to bound differences of scores with.

    It is the middle one of the sizes of loaded, aim and bang, and the larger one if only two of them are above 0; at
    least a quarter of the largest.
    """
    settings = deciding.config.settings
    all_sizes = settings.position_size_loaded, settings.position_size_aim, settings.position_size_bang
    sizes = [min(size, deciding.cap) for size in all_sizes if size > 0]
    return max(median_high(sizes), max(sizes) / 4) if sizes else 0.0


def decided_anew(recorded: DecidedBars, deciding: Deciding, first: int = 0, *, is_cut: bool) -> Pieces[DecidedBars]:
    """Decide recorded bars with another configuration; it has an effect where the recorded decision had one.

    A hole restarts the market, as it does when bars are decided live. Bars that cannot be decided have no decision.

    Args:
        recorded: the bars. Up to `vivienne.agent.evaluate.MOST_HISTORY` of them should come before the first to decide.
        deciding: what decides.
        first: row of the first bar to decide.
        is_cut: whether bars existed before the first one.
    """
    found = _undecided(recorded, deciding.version)
    starts = run_starts(recorded.bars.open_time, deciding.timeframe.milliseconds)
    for rows in _pieces(recorded.bars, starts.tolist(), first, deciding.timeframe):
        start = int(starts[rows.start])
        evaluation = evaluate(
            recorded.bars[start : rows.stop],
            deciding.config,
            deciding.timeframe.minutes,
            rows.stop - rows.start,
            cap=deciding.cap,
            is_cut=is_cut and start == 0,
        )
        _fill(found, rows, evaluation, needs_full_history=deciding.needs_full_history)
        yield
    return found


def _undecided(recorded: DecidedBars, version: int) -> DecidedBars:
    """The same bars without decisions."""
    count = len(recorded)
    return DecidedBars(
        bars=recorded.bars,
        is_decided=np.zeros(count, np.bool_),
        has_effect=recorded.has_effect,
        level=np.zeros(count, np.int64),
        raw_level=np.zeros(count, np.int64),
        side=np.zeros(count),
        confidence=np.zeros(count),
        size=np.zeros(count),
        wanted=np.zeros(count),
        atr=np.full(count, np.nan),
        version=np.full(count, version),
        blocks=np.zeros(count, np.int64),
        blocked_by=_SETS,
    )


def _pieces(bars: Bars, starts: list[int], first: int, timeframe: Timeframe) -> Iterator[slice]:
    """Rows to decide at a time: neither a hole nor another anchor begins within them."""
    numbers = (bars.open_time // timeframe.milliseconds).tolist()
    row, count = first, len(numbers)
    while row < count:
        stop = min(count, row + _ROWS - numbers[row] % _ROWS)
        while starts[stop - 1] != starts[row]:
            stop = starts[stop - 1]
        yield slice(row, stop)
        row = stop


def _fill(found: DecidedBars, rows: slice, evaluation: Evaluation, *, needs_full_history: bool) -> None:
    """Put decisions into their rows."""
    is_decided = evaluation.ready & evaluation.is_whole
    if needs_full_history:
        is_decided = is_decided & (evaluation.history >= FULL_HISTORY)
    decided, votes = evaluation.decided, evaluation.votes
    found.is_decided[rows] = is_decided
    found.atr[rows] = np.where(is_decided, evaluation.now.atr, np.nan)
    for column, values in (
        (found.level, decided.level),
        (found.raw_level, decided.raw_level),
        (found.side, votes.side),
        (found.confidence, votes.confidence),
        (found.size, decided.size),
        (found.wanted, decided.wanted),
        (found.blocks, np.add.reduce(evaluation.filters.blocks * _BITS, axis=0)),
    ):
        column[rows] = np.where(is_decided, values, 0)
