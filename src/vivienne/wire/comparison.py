"""The comparison of two configurations on the wire."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

Verdict = Literal["better", "worse", "not enough to tell"]


class ScoreCurve(TypedDict):
    """Sums of scores up to some bars, by their open times, in percent of equity; the last value is the newest.

    `difference` is that of the two, where the difference of each bar is at most the bound. The sum of its true means
    lies between `low` and `high` on all bars at once, with the probability `confidence`.
    """

    times: list[str]
    now: list[float]
    before: list[float]
    difference: list[float]
    low: list[float]
    high: list[float]


class ScoreComparison(TypedDict):
    """Two configurations on the same bars: `now` is the one that is judged, `before` the one it is compared with.

    The score of a bar is size times side times the return from the next open to the one after it, less the cost of the
    change of the position, in percent of equity. `assets` are those that are compared, and `bars` the number of times
    at which one of them has a score. `mean` is the mean difference of a bar. The true mean lies between `low` and
    `high` with the probability `confidence`, however often one looks.

    `verdict` is `better` if `low` is above 0 and `worse` if `high` is below 0. Otherwise `bars_more` is the number of
    bars after which it could be told if bars go on as they were; null if that is more than ten million, and for a
    verdict that is told. `bound` is the largest difference of one bar that counts, in percent of equity: what a
    position of the usual size (the middle one of the levels) earns by a move of eight times the mean ATR of the 96 bars
    up to the first. `cut` is the number of differences that were larger.
    """

    assets: list[str]
    begins: str | None
    ends: str | None
    bars: int
    fee: float
    slippage: float
    mean: float
    low: float | None
    high: float | None
    confidence: float
    verdict: Verdict
    bars_more: int | None
    bound: float
    cut: int
    curve: ScoreCurve
