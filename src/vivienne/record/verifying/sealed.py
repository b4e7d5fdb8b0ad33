"""Compares recorded bars and decisions with their seals, and names what was altered since."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.record import codes
from vivienne.record.rows import DECISION_COLUMNS
from vivienne.record.seals import SEALED_BAR, SEALED_DECISION, as_sealed, seals_of
from vivienne.record.verifying.again import Difference, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from vivienne.market.types import BoolArray, FloatArray
    from vivienne.record.verifying.columns import RecordedColumns

_MAY_BE_NULL = frozenset(
    ("support", "resistance", "rsi", "macd_atr", "macd_histogram_atr", "atr", "number", "decision_seal")
)
_NEEDED = tuple(name for name in DECISION_COLUMNS if name not in _MAY_BE_NULL)
"""Columns that every decision has."""
_KNOWN: Mapping[str, frozenset[int]] = {
    "status": codes.STATUSES.numbers,
    "source": codes.SOURCES.numbers,
    "is_paused": frozenset((0, 1)),
}
"""Values that no decision anew is compared with; all others of these columns stand for nothing."""
_CODES = tuple(float(code) for code in range(-1, 6))
_NEAR = 2
"""Bars before and after one whose values may have been its own."""


class Checked(NamedTuple):
    """What is wrong with some bars.

    Attributes:
        wrong: by number of the bar, what is wrong with it.
        cannot: True for bars whose decision cannot be decided anew, because values of it are not there.
        unsealed: number of bars without a seal of their own or of their decision.
    """

    wrong: Mapping[int, list[Difference]]
    cannot: BoolArray
    unsealed: int


def check(recorded: RecordedColumns, begin: int, series_id: int, sealing: Collection[int], most: int) -> Checked:
    """Compare bars with their seals, and look for values that nothing writes.

    Args:
        recorded: the bars.
        begin: number of the first one that is meant.
        series_id: of their segment.
        sealing: the sessions that seal all they record.
        most: number of altered bars for which the altered value is looked for.
    """
    values = {name: column[begin:] for name, column in recorded.values.items()}
    is_decided = ~np.isnan(values["config_version"])
    of_sealing = np.isin(values["session_id"], [*sealing])
    series = np.full(len(is_decided), series_id, np.float64)
    bars = as_sealed([series, *(values[name] for name in SEALED_BAR[1:])])
    decisions = as_sealed([series, *(values[name] for name in SEALED_DECISION[1:])])
    has_seal = ~np.isnan(values["bar_seal"])
    is_numbered = ~np.isnan(values["decision_seal"]) | ~np.isnan(values["number"])
    altered_bar = np.where(has_seal, seals_of(bars) != values["bar_seal"], of_sealing)
    altered_decision = np.where(
        is_numbered, _seals(decisions, is_numbered) != values["decision_seal"], of_sealing & is_decided
    )
    wrong: dict[int, list[Difference]] = {}
    for names, rows, altered, seal in (
        (SEALED_BAR, bars, altered_bar, "bar_seal"), (SEALED_DECISION, decisions, altered_decision, "decision_seal"),
    ):  # fmt: skip
        for row in np.flatnonzero(altered).tolist():
            found = _altered(names, rows, row, values[seal].item(row), is_looked_for=len(wrong) < most)
            wrong.setdefault(begin + row, []).append(found)
    is_known = has_seal & (is_numbered | ~is_decided)
    cannot = np.zeros(len(is_decided), dtype=np.bool_)
    for row, each in _odd(values, is_decided):
        cannot[row] |= is_decided[row] and each.field in _NEEDED and each.recorded is None
        if not is_known[row]:
            wrong.setdefault(begin + row, []).append(each)
    unsealed = int((~is_known & ~altered_bar & ~altered_decision).sum())
    return Checked(wrong, cannot, unsealed)


def _seals(rows: FloatArray, chosen: BoolArray) -> FloatArray:
    """The seals of the chosen rows, NaN for others."""
    found = np.full(len(rows), math.nan)
    found[chosen] = seals_of(rows[chosen])
    return found


def _odd(values: Mapping[str, FloatArray], is_decided: BoolArray) -> Iterator[tuple[int, Difference]]:
    """Values that nothing writes, each with the number of its row."""
    times = values["open_time"]
    has_some = np.logical_or.reduce([~np.isnan(values[name]) for name in DECISION_COLUMNS])
    for row in np.flatnonzero(has_some & ~is_decided).tolist():
        yield row, Difference(int(times.item(row)), "config_version", None, None, "value")
    for name in _NEEDED:
        for row in np.flatnonzero(is_decided & ~np.isfinite(values[name])).tolist():
            yield row, Difference(int(times.item(row)), name, None, None, "value")
    for name, known in _KNOWN.items():
        column = values[name]
        for row in np.flatnonzero(~np.isnan(column) & ~np.isin(column, [*known])).tolist():
            yield row, Difference(int(times.item(row)), name, shown(name, column.item(row)), None, "value")


def _altered(names: tuple[str, ...], rows: FloatArray, row: int, seal: float, *, is_looked_for: bool) -> Difference:
    """The value that was altered, with what it was, if another one in its place makes the row fit its seal."""
    time, kind = int(rows.item(row, 1)), "bar" if names is SEALED_BAR else "decision"
    if is_looked_for and not math.isnan(seal):
        trials = [*_trials(names, rows, row)]
        if trials:
            tried = np.repeat(rows[row : row + 1], len(trials), axis=0)
            for number, (place, value) in enumerate(trials):
                tried[number, place] = value
            for number in np.flatnonzero(seals_of(as_sealed([*tried.T])) == seal).tolist():
                place, was = trials[number]
                name = names[place]
                return Difference(time, name, shown(name, rows.item(row, place)), shown(name, was), "seal")
    recorded = int(seals_of(rows[row : row + 1]).item())
    return Difference(time, kind, f"{recorded:012x}", None if math.isnan(seal) else f"{int(seal):012x}", "seal")


def _trials(names: tuple[str, ...], rows: FloatArray, row: int) -> Iterator[tuple[int, float]]:
    """Values that may have been in a row, each with its place: those nearby, codes, and those with another bit."""
    near = rows[max(0, row - _NEAR) : row + _NEAR + 1]
    for place in range(2, len(names)):
        now = rows.item(row, place)
        column = near[:, place]
        yield from ((place, value) for value in (*column, *(column + 1), *(column - 1), *_CODES, math.nan))
        if names is SEALED_BAR:
            yield from ((place, value) for value in near[:, 2:6].ravel())
        if math.isnan(now):
            continue
        bits = np.float64(now).view(np.uint64) ^ (np.uint64(1) << np.arange(64, dtype=np.uint64))
        yield from ((place, value) for value in bits.view(np.float64).tolist() if not math.isnan(value))
        if now.is_integer() and abs(now) < 2**31:
            yield from ((place, float(int(now) ^ (1 << bit))) for bit in range(31))
