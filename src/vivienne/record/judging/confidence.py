"""Bounds for a mean that hold however often one looks.

The mean is that of differences `d` between two scores, bar by bar, none of which is beyond `bound`. In units of the
bound, let S be the sum of the first t differences and V the sum of their squares. Take ten bets that the mean is above
0, with stakes z of 0.9, 0.54 and so on down to 0.009. Each begins with a tenth of a capital of 1, which becomes

    exp(z S - (-ln(1 - z) - z) V)

times as much. By a lemma of Fan, Grama and Liu (2015, "Exponential inequalities for martingales with applications"),
`exp(z d - (-ln(1 - z) - z) d^2) <= 1 + z d` for every d >= -1. So whatever the distribution of the differences is, and
however they depend on what came before, nobody can expect the capital to grow unless the mean is above 0. By Ville's
inequality it then ever reaches 40 with a probability of at most 1 in 40. The same holds for bets that the mean is below
0, and, with S less the sum of the true means, for bets against these. All means that neither side has refuted with 40
times its capital make up an interval that covers the true mean on all bars at once with a probability of 95 %.

This is the empirical-Bernstein confidence sequence of Howard, Ramdas, McAuliffe and Sekhon (2021, "Time-uniform,
nonparametric, nonasymptotic confidence sequences", theorem 4), as Choe and Ramdas use it to compare forecasters
(arXiv 2110.00115, theorem 2), with two choices. The predictions from which squares are measured are 0: means of single
bars are small beside their deviation, and a difference is then at most one bound away from its prediction. The bets are
their discrete mixture. It needs no special functions, has no time for which it is tuned, and is valid exactly, because
any split of the capital is.
"""

from __future__ import annotations

from math import exp, log, log1p
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vivienne.market.types import FloatArray

ERROR_RATE = 0.05
"""Largest probability that the interval ever misses the true mean, on whichever side."""
MOST_BARS = 10_000_000
"""Numbers of bars beyond this one are not told."""
_STAKES = tuple(0.9 * 0.6**step for step in range(10))
_PENALTIES = tuple(-log1p(-stake) - stake for stake in _STAKES)
_GOAL = log(2 / ERROR_RATE)
_ENOUGH = _GOAL + log(len(_STAKES))
"""Logarithm of the growth with which one bet alone reaches the goal."""
_STEPS = 8
"""Newton's method is done after six, from where it begins."""


def log_capital(total: float, squares: float) -> float:
    """The natural logarithm of the capital of the bets that the mean is above 0.

    Args:
        total: sum of the differences, in units of the bound.
        squares: sum of their squares, in units of the square of the bound.
    """
    growth = [stake * total - penalty * squares for stake, penalty in zip(_STAKES, _PENALTIES, strict=True)]
    most = max(growth)
    return most + log(sum(exp(each - most) for each in growth) / len(growth))


def deviation(squares: FloatArray) -> FloatArray:
    """The largest distance of the sum of differences from the sum of their true means that is not refuted.

    Args:
        squares: sums of squares, in units of the square of the bound.

    Returns:
        Distances in units of the bound: where the capital reaches 2 / `ERROR_RATE`.
    """
    offsets = [penalty * squares for penalty in _PENALTIES]
    # One bet alone reaches the goal there, so it is no smaller than the solution. The logarithm of the capital is
    # convex, so every step of Newton's method from there stays above the solution too.
    distance: FloatArray = np.minimum.reduce(
        [(_ENOUGH + offset) / stake for stake, offset in zip(_STAKES, offsets, strict=True)]
    )
    for _ in range(_STEPS):
        distance = distance - _excess(distance, offsets)
    return distance


def _excess(distance: FloatArray, offsets: list[FloatArray]) -> FloatArray:
    """The next step of Newton's method towards the distance where the capital reaches the goal."""
    growth = [stake * distance - offset for stake, offset in zip(_STAKES, offsets, strict=True)]
    most = np.maximum.reduce(growth)
    capital, slope = np.zeros_like(distance), np.zeros_like(distance)
    for stake, each in zip(_STAKES, growth, strict=True):
        part = np.exp(each - most)
        capital += part
        slope += stake * part
    step: FloatArray = (most + np.log(capital) - _ENOUGH) * capital / slope
    return step


def bars_to_tell(mean: float, mean_square: float) -> int | None:
    """Number of bars after which a mean would be told from 0, if bars go on as they were.

    Args:
        mean: mean difference, in units of the bound.
        mean_square: mean of the squares, in units of the square of the bound.

    Returns:
        None for more than `MOST_BARS`.
    """
    rates = [stake * abs(mean) - penalty * mean_square for stake, penalty in zip(_STAKES, _PENALTIES, strict=True)]
    fastest = max(rates)
    if fastest * MOST_BARS < _ENOUGH:
        return None
    low, high = 0, int(_ENOUGH / fastest) + 1  # one bet alone reaches the goal within the latter
    while high - low > 1:
        middle = (low + high) // 2
        if log_capital(abs(mean) * middle, mean_square * middle) >= _GOAL:
            high = middle
        else:
            low = middle
    return high
