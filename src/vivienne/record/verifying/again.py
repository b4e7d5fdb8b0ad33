"""Decides recorded bars anew, those that share an anchor and a configuration in one call, and compares."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from vivienne.agent.blocking import SCENARIOS, SCENARIOS_OF
from vivienne.agent.evaluate import evaluate
from vivienne.agent.filters import FILTERS
from vivienne.agent.filters.volatility import STATUSES
from vivienne.live.entries import reading_columns
from vivienne.record import codes
from vivienne.record.rows import written_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vivienne.agent.decision import Block
    from vivienne.agent.evaluate import Evaluation
    from vivienne.agent.schema import Configuration
    from vivienne.market.timeframe import Timeframe
    from vivienne.market.types import BoolArray, FloatArray, IntArray
    from vivienne.record.verifying.columns import RecordedColumns

_VOLATILITIES = np.array([codes.VOLATILITIES.number(status) for status in STATUSES], dtype=np.float64)
_PLACES = {
    (each.name, SCENARIOS[place].id): place
    for each, places in zip(FILTERS, SCENARIOS_OF, strict=True)
    for place in places
}
_MOST_PRICE = 1e100
_WORDS: dict[str, Callable[[int], object]] = {
    "level": codes.LEVELS.word,
    "raw_level": codes.LEVELS.word,
    "side": codes.SIDES.word,
    "trend": codes.TRENDS.word,
    "volatility": codes.VOLATILITIES.word,
    "levels": codes.LEVELS_STATUSES.word,
    "status": codes.STATUSES.word,
    "source": codes.SOURCES.word,
    "is_paused": bool,
    **dict.fromkeys(("config_version", "configuration_id", "used", "blocks_id", "number", "session_id"), int),
    "is_ready": bool,
    "is_whole": bool,
    "history": int,
}


class Difference(NamedTuple):
    """A value that is another one when it is decided anew, or was another one when it was recorded.

    Attributes:
        time: open time of the bar, ms since the epoch.
        field: name of the value.
        recorded: as it was recorded.
        decided: as it is decided anew, or was recorded; see `vivienne.wire.record.DecisionDifference`.
        found_by: likewise.
    """

    time: int
    field: str
    recorded: object
    decided: object
    found_by: Literal["decision", "seal", "value"] = "decision"


class Group(NamedTuple):
    """Decisions that were made from the same first bar, with the same configuration and cap.

    Attributes:
        first: number of the first bar they were made from.
        rows: numbers of the decided bars, in order.
    """

    first: int
    rows: IntArray


def groups(recorded: RecordedColumns, rows: IntArray) -> Iterator[Group]:
    """Put decisions together that can be decided in one call.

    Args:
        recorded: the bars.
        rows: numbers of decided bars, in order.
    """
    if not len(rows):
        return
    values = recorded.values
    firsts = rows - values["used"][rows].astype(np.int64) + 1
    keys = np.array([firsts, *(values[name][rows] for name in ("configuration_id", "cap", "is_whole"))])
    ends = np.flatnonzero((np.diff(keys) != 0).any(axis=0)) + 1
    for part in np.split(np.arange(len(rows)), ends):
        yield Group(int(firsts[part[0]]), rows[part])


def are_there(recorded: RecordedColumns, group: Group, timeframe: Timeframe) -> bool:
    """Tell whether all bars that decisions were made from are recorded, with prices that a bar may have."""
    if not 0 <= group.first <= group.rows[0]:
        return False
    times, last = recorded.bars.open_time, int(group.rows[-1])
    for name in ("open", "high", "low", "close"):
        prices = getattr(recorded.bars, name)[group.first : last + 1]
        if not (prices.min() > 0 and prices.max() < _MOST_PRICE):  # not with NaN either
            return False
    return times.item(last) - times.item(group.first) == (last - group.first) * timeframe.milliseconds


def differences(
    recorded: RecordedColumns,
    group: Group,
    config: Configuration,
    timeframe: Timeframe,
    blocks: Mapping[int, tuple[Block, ...]],
) -> list[Difference]:
    """Decide a group anew; what is different, in order.

    Args:
        recorded: the bars.
        group: the decisions; all their bars are there.
        config: that was in force.
        timeframe: of the bars.
        blocks: sets of scenarios, by their id in the record.
    """
    values, begin, last = recorded.values, group.rows[0], group.rows[-1]
    evaluation = evaluate(
        recorded.bars[group.first : last + 1],
        config,
        timeframe.minutes,
        int(last - begin + 1),
        cap=values["cap"].item(begin),
        is_cut=not values["is_whole"].item(begin),
    )
    picked = group.rows - begin
    found: list[Difference] = []
    times = recorded.bars.open_time
    for name, decided in _decided(evaluation).items():
        was, now = values[name][group.rows], decided[picked]
        for row in np.flatnonzero(~((was == now) | (np.isnan(was) & np.isnan(now)))).tolist():
            time, one, other = times.item(group.rows[row]), was.item(row), now.item(row)
            found.append(Difference(time, name, shown(name, one), shown(name, other)))
    found += _other_blocks(recorded, group, evaluation, blocks)
    return sorted(found, key=lambda each: each[:2])


def _decided(evaluation: Evaluation) -> dict[str, FloatArray]:
    """What was decided, as the record has it: the columns that are compared, but for the blocks."""
    decided, votes = evaluation.decided, evaluation.votes
    rsi, macd, histogram = reading_columns(evaluation)
    levels = [codes.LEVELS_STATUSES.number(evaluation.levels_status(row)) for row in range(len(evaluation.open_time))]
    columns = {
        "is_ready": evaluation.ready,
        "is_whole": evaluation.is_whole,
        "history": evaluation.history,
        "level": decided.level,
        "raw_level": decided.raw_level,
        "side": votes.side,
        "confidence": votes.confidence,
        "size": decided.size,
        "wanted": decided.wanted,
        "trend": evaluation.trend,
        "volatility": _VOLATILITIES[evaluation.volatility],
        "levels": np.array(levels),
        "support": evaluation.support,
        "resistance": evaluation.resistance,
        "rsi": rsi,
        "macd_atr": macd,
        "macd_histogram_atr": histogram,
        "atr": evaluation.now.atr,
    }
    return {name: column.astype(np.float64, copy=False) for name, column in columns.items()}


def _other_blocks(
    recorded: RecordedColumns, group: Group, evaluation: Evaluation, blocks: Mapping[int, tuple[Block, ...]]
) -> Iterator[Difference]:
    """The decisions on which other scenarios block than was recorded."""
    ids, picked = recorded.values["blocks_id"][group.rows], group.rows - group.rows[0]
    numbers, places = np.unique(ids, return_inverse=True)
    known = [_blocking(blocks.get(int(number))) for number in numbers.tolist()]
    # A scenario that this program does not know has no column, so its set equals none.
    are_known = np.array([each is not None for each in known])
    table = np.array([np.zeros(len(SCENARIOS), dtype=np.bool_) if each is None else each for each in known])
    decided = evaluation.filters.scenario_blocks[:, picked].T
    equal: BoolArray = (table[places] == decided).all(axis=1) & are_known[places]
    for row in np.flatnonzero(~equal).tolist():
        was, now = blocks.get(int(ids[row]), ()), evaluation.decision(picked.item(row)).blocks
        yield Difference(
            recorded.bars.open_time.item(group.rows[row]), "blocks", written_blocks(was), written_blocks(now)
        )


def _blocking(blocks: tuple[Block, ...] | None) -> BoolArray | None:
    """For each scenario whether it blocks; None if one is not known."""
    if blocks is None or any(block not in _PLACES for block in blocks):
        return None
    found = np.zeros(len(SCENARIOS), dtype=np.bool_)
    found[[_PLACES[block] for block in blocks]] = True
    return found


def shown(name: str, value: float) -> object:
    """A value as people know it; None for one that is not there, and a number that stands for no word as it is."""
    if math.isnan(value):
        return None
    if not math.isfinite(value):
        return str(value)
    try:
        return _WORDS[name](int(value)) if name in _WORDS else value
    except KeyError:
        return int(value)
