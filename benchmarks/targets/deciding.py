"""A decision with its explanation against the indicators alone."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

import deciding
import evaluation
from fanout.rows import Row
from turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanout.candidates import Vivienne


def measure_deciding(programs: list[Vivienne], rounds: int, repeats: int) -> Iterator[Row]:
    """Both in a process of each program, in turns.

    Args:
        programs: to measure.
        rounds: in which each has its turn.
        repeats: of the measurement in a turn.
    """
    named = {each.name: each for each in programs}
    ratios: dict[str, list[float]] = {name: [] for name in named}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in named}
    for name in in_turns(list(named), rounds):
        found = named[name].printed(Path(deciding.__file__), str(repeats))
        everything, indicators = found["everything"], found["indicators"]
        ratios[name].append(
            statistics.median(whole / alone for whole, alone in zip(everything, indicators, strict=True))
        )
        times[name].append((statistics.median(everything), statistics.median(indicators)))
    besides = {name: _microseconds(found) for name, found in times.items()}
    what = f"deciding one asset on {deciding.BARS:,} bars, explained, against the indicators alone"
    yield Row(what, "x", ratios, digits=1, most=evaluation.WANTED_RATIO, besides=besides)


def _microseconds(times: list[tuple[float, float]]) -> str:
    whole, alone = (statistics.median(each) for each in zip(*times, strict=True))
    return f"{whole:.0f} us against {alone:.0f} us"
