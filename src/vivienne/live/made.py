"""The decisions that were made when their bars closed, in columns of a fixed length.

A decision takes a tenth of its objects there. The memory is taken at the start, so that it does not grow for days until
the window is full.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np

from vivienne.agent.decision import Clarity, Decision
from vivienne.agent.evaluate import BLOCKS
from vivienne.live.entries import Readings
from vivienne.wire.explanation import LevelsStatus, Side, Trend, VolatilityStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.agent.decision import Block

_CLARITIES = tuple(Clarity)
_SIDES: tuple[Side, ...] = get_args(Side)
_TRENDS: tuple[Trend, ...] = get_args(Trend)
_VOLATILITIES: tuple[VolatilityStatus, ...] = get_args(VolatilityStatus)
_LEVELS: tuple[LevelsStatus, ...] = get_args(LevelsStatus)
_ROW = np.dtype([
    ("config_version", np.int64), ("is_paused", np.bool_), ("history", np.int64), ("is_whole", np.bool_),
    ("level", np.int8), ("raw_level", np.int8), ("side", np.int8), ("confidence", np.float64), ("size", np.float64),
    ("wanted", np.float64), ("blocks", np.uint64), ("trend", np.int8), ("volatility", np.int8),
    ("levels", np.int8), ("support", np.float64), ("resistance", np.float64), ("rsi", np.float64),
    ("macd", np.float64), ("macd_histogram", np.float64),
])  # fmt: skip
_BITS = {block: 1 << place for place, block in enumerate(BLOCKS)}
_FREE = np.iinfo(np.int64).min
"""In place of the time of a row that has no decision yet."""


class Made(NamedTuple):
    """A decision that was made when its bar closed.

    Attributes:
        config_version: version of the configuration it was made with.
        is_paused: True if the asset was paused then, so that the decision had no effect.
        readings: values that its signals read.
    """

    decision: Decision
    config_version: int
    is_paused: bool
    readings: Readings


class MadeDecisions:
    """The newest decisions of an asset. All were ready: there were enough bars for them.

    Args:
        most: largest number of decisions that are kept; the oldest is dropped first.
    """

    def __init__(self, most: int) -> None:
        self._times = np.full(most, _FREE, dtype=np.int64)
        self._rows = np.empty(most, dtype=_ROW)
        self._rows[:] = np.zeros((), dtype=_ROW)  # written, so that the memory is there from the start
        self._count = 0

    def __len__(self) -> int:
        return min(self._count, len(self._times))

    def add(self, made: Made) -> None:
        """Keep a decision, in place of the one on the same bar if there is one."""
        time = made.decision.open_time
        found = np.flatnonzero(self._times == time)
        place = found.item(0) if len(found) else self._count % len(self._times)
        self._count += not len(found)
        self._times[place] = time
        self._rows[place] = _row(made)

    def at(self, times: Sequence[int]) -> list[Made | None]:
        """The decisions on the bars that open at these times."""
        if len(times) == 1:
            found = np.flatnonzero(self._times == times[0])
            return [_made(times[0], self._rows[found[0]].item()) if len(found) else None]
        places = dict(zip(self._times.tolist(), range(len(self._times)), strict=True))
        known = {time: places[time] for time in times if time in places}
        rows = dict(zip(known, self._rows[[*known.values()]].tolist(), strict=True))
        return [_made(time, rows[time]) if time in rows else None for time in times]


def _row(made: Made) -> tuple[Any, ...]:
    """The values of a row, in the order of its columns."""
    decision = made.decision
    return (
        made.config_version, made.is_paused, decision.history, decision.is_whole, decision.level, decision.raw_level,
        _SIDES.index(decision.side), decision.confidence, decision.size, decision.wanted,
        sum(_BITS[block] for block in decision.blocks), _TRENDS.index(decision.trend),
        _VOLATILITIES.index(decision.volatility), _LEVELS.index(decision.levels), decision.support,
        decision.resistance, *made.readings,
    )  # fmt: skip


def _made(open_time: int, row: tuple[Any, ...]) -> Made:
    """The decision of a row, equal to the last bit to the one that was kept."""
    (
        version, is_paused, history, is_whole, level, raw_level, side, confidence, size, wanted, blocks, trend,
        volatility, levels, support, resistance, *read,
    ) = row  # fmt: skip
    decision = Decision(
        open_time=open_time,
        ready=True,
        history=history,
        is_whole=is_whole,
        level=_CLARITIES[level],
        raw_level=_CLARITIES[raw_level],
        side=_SIDES[side],
        confidence=confidence,
        size=size,
        wanted=wanted,
        blocks=_blocks(blocks),
        trend=_TRENDS[trend],
        volatility=_VOLATILITIES[volatility],
        levels=_LEVELS[levels],
        support=support,
        resistance=resistance,
    )
    return Made(decision, version, is_paused, Readings(*read))


@lru_cache(maxsize=1_024)
def _blocks(bits: int) -> tuple[Block, ...]:
    return tuple(block for block, bit in _BITS.items() if bits & bit)
