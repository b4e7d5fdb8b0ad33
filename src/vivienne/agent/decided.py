"""One decided bar: its decision with all values it was made from, as plain Python values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vivienne.agent.blocking import FilterRow
    from vivienne.agent.decision import Decision
    from vivienne.agent.indicators import IndicatorRows
    from vivienne.agent.signals.base import Vote


class Decided(NamedTuple):
    """A decided bar; see `vivienne.agent.evaluate.Evaluation` for columns of many bars.

    Attributes:
        decision: the decision.
        now: indicators, with floats in place of columns.
        signals: votes by name, likewise.
        contributions: by name of the signals that have a weight; see `vivienne.agent.decision.Votes`.
        filters: results of the filters.
    """

    decision: Decision
    now: IndicatorRows
    signals: dict[str, Vote]
    contributions: dict[str, float]
    filters: FilterRow
