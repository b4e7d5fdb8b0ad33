"""Recorded bars with their decisions, as columns."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vivienne.market.types import Bars, BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class DecidedBars:
    """Closed bars of one asset and the decisions on them; one value for each bar, oldest first.

    Bars follow each other unless `bars.open_time` has a hole. A bar without a recorded decision has idle levels,
    no side, size 0, and NaN for the other numbers.

    Attributes:
        bars: the bars.
        is_decided: True if a decision on the bar was recorded.
        has_effect: True if the decision was in force, that is, the asset was neither paused nor stale.
        level, raw_level: see `vivienne.agent.decision.Clarity`.
        side: +1 long, -1 short, 0 none.
        confidence: 0 to 1.
        size: position size in percent of equity, as it was streamed; at most the cap.
        wanted: position size without the cap.
        atr: average true range of the bar in quote currency, as the decision read it.
        version: version of the configuration in force; 0 without a decision.
        blocks: index into `blocked_by`.
        blocked_by: the distinct sets of filters that blocked an entry, as ids; the first one is empty.
    """

    bars: Bars
    is_decided: BoolArray
    has_effect: BoolArray
    level: IntArray
    raw_level: IntArray
    side: FloatArray
    confidence: FloatArray
    size: FloatArray
    wanted: FloatArray
    atr: FloatArray
    version: IntArray
    blocks: IntArray
    blocked_by: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.bars)

    def __getitem__(self, rows: slice) -> DecidedBars:
        columns = [each.name for each in fields(self) if each.name != "blocked_by"]
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})
