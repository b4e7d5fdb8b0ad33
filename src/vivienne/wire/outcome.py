"""Outcomes of decisions on the wire: what came of them on the bars that followed."""

from __future__ import annotations

from typing_extensions import TypedDict


class DecisionOutcome(TypedDict):
    """What came of one decision, in the direction of its side, from the open of the next bar on.

    Returns are in percent, after so many bars. The largest moves for and against the side are those within 96 bars, in
    ATR of the bar of the decision, and at least 0. What is not known is null: while too few bars have closed, where
    bars are missing, and without a side.

    `paper_position` is what the paper account holds from the open of the next bar on, in percent of equity, below 0 for
    a short position; null on the newest bar.
    """

    return_1: float | None
    return_4: float | None
    return_16: float | None
    return_96: float | None
    largest_gain_atr: float | None
    largest_loss_atr: float | None
    paper_position: float | None


class HorizonSummary(TypedDict):
    """Returns of some entries after `bars` bars.

    `known` is the number of entries whose return is known. `mean_return` is in percent, before costs. `hit_rate` is the
    fraction of them with a return above 0. Both are null if none is known. `deviation` is the standard deviation of the
    returns, in percent; null if fewer than two are known.
    """

    bars: int
    known: int
    mean_return: float | None
    deviation: float | None
    hit_rate: float | None


class OutcomeSummary(TypedDict):
    """What came of some entries: their number, returns, and the mean of their largest moves for and against, in ATR."""

    entries: int
    returns: list[HorizonSummary]
    largest_gain_atr: float | None
    largest_loss_atr: float | None
