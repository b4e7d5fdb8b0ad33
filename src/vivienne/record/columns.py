"""Recorded bars with their decisions, as columns."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vivienne.market.types import Bars, Candle
from vivienne.record.codes import WITH_EFFECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from vivienne.agent.decision import Block
    from vivienne.market.types import BoolArray, FloatArray, IntArray

COLUMNS = (
    *Candle._fields, "config_version", "is_paused", "status", "level", "raw_level", "side", "confidence", "size",
    "wanted", "atr", "blocks_id",
)  # fmt: skip
"""Columns of the table of bars that judging needs."""


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


def as_columns(pieces: Iterable[Sequence[Any]], known: Mapping[int, tuple[Block, ...]]) -> DecidedBars:
    """Rows of the table of bars as columns.

    The rows themselves are many times as large, so that each piece of them goes before the next one comes.

    Args:
        pieces: rows with `COLUMNS`, newest first, some at a time.
        known: the sets of scenarios that block, by the id of their row; those of a piece are there with it.
    """
    sets: dict[tuple[str, ...], int] = {(): 0}
    parts = [_piece(rows, known, sets) for rows in pieces] or [_piece((), known, sets)]
    columns = {name: np.concatenate([part[name][::-1] for part in reversed(parts)]) for name in parts[0]}
    bars = Bars(*(columns.pop(name) for name in Candle._fields))
    return DecidedBars(bars=bars, **columns, blocked_by=tuple(sets))


def _piece(
    rows: Sequence[Any], known: Mapping[int, tuple[Block, ...]], sets: dict[tuple[str, ...], int]
) -> dict[str, NDArray[Any]]:
    """The columns of some rows, by name: those of `Bars` and of `DecidedBars`; sets that are new are added."""
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(COLUMNS, ())
    status, is_paused = _integers(columns["status"], -1), np.array(columns["is_paused"], dtype=np.bool_)
    return {
        "open_time": np.array(columns["open_time"], dtype=np.int64),
        **{name: _numbers(columns[name]) for name in Candle._fields[1:]},
        "is_decided": np.array([each is not None for each in columns["config_version"]], dtype=np.bool_),
        "has_effect": np.isin(status, WITH_EFFECT) & ~is_paused,
        "level": _integers(columns["level"], 0),
        "raw_level": _integers(columns["raw_level"], 0),
        "side": _integers(columns["side"], 0).astype(np.float64),
        "confidence": _numbers(columns["confidence"]),
        "size": np.nan_to_num(_numbers(columns["size"])),
        "wanted": _numbers(columns["wanted"]),
        "atr": _numbers(columns["atr"]),
        "version": _integers(columns["config_version"], 0),
        "blocks": _sets(columns["blocks_id"], known, sets),
    }


def _numbers(column: Sequence[Any]) -> FloatArray:
    return np.array(column, dtype=np.float64)  # None becomes NaN


def _integers(column: Sequence[Any], without: int) -> IntArray:
    return np.array([without if each is None else each for each in column], dtype=np.int64)


def _sets(
    column: Sequence[int | None], known: Mapping[int, tuple[Block, ...]], sets: dict[tuple[str, ...], int]
) -> IntArray:
    """For each row the index of its set of filters that block, among all sets; the empty one is the first."""
    of: dict[int | None, int] = {None: 0}
    for number in {*column}:
        if number is not None:
            names = tuple(dict.fromkeys(each.filter for each in known[number]))
            of[number] = sets.setdefault(names, len(sets))
    return np.array([of[each] for each in column], dtype=np.int64)
