"""Types of a filter, which can hold back an entry.

A filter is a list of scenarios. A scenario blocks if all its checks hold. Checks are data: a measure, a relation, and a
threshold with the tunable it comes from. The explanation and the nearest change are therefore made from the same lines
as the decision. A value that does not exist (no trades, no level, no VWAP) is NaN. A comparison with NaN never holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vivienne.agent.arithmetic import Values
    from vivienne.agent.indicators import Columns
    from vivienne.agent.rules import Rule
    from vivienne.agent.signals.base import Vote
    from vivienne.agent.tunable import Section
    from vivienne.wire.explanation import Relation, Unit


class Scene(NamedTuple):
    """The input of filters, one value for each row; "ahead" means in the direction of the entry.

    Attributes:
        columns: bars and indicators.
        side: +1 long, -1 short, 0 no entry to block.
        trend: +1 up, -1 down, 0 neither.
        votes: votes by signal, for the signals that have a weight or that a filter needs.
        support, resistance: the nearest level below and above the close; NaN if none exists.
        timeframe_minutes: length of a bar.
    """

    columns: Columns
    side: Values
    trend: Values
    votes: Mapping[str, Vote]
    support: Values
    resistance: Values
    timeframe_minutes: int


class Measure(NamedTuple):
    """A quantity that a check compares.

    Attributes:
        id: its name for programs.
        words: its name for people.
        unit: unit of its values.
        column: a pure function that returns its value for every row; NaN where it does not exist.
    """

    id: str
    words: str
    unit: Unit
    column: Callable[[Scene], Values]


class Check(NamedTuple):
    """A comparison of a measure with a threshold.

    Attributes:
        measure: the compared quantity.
        threshold: the path of a tunable, or a constant.
        words: texts for people, for a check that holds and for one that does not, if numbers would not explain it.
    """

    measure: Measure
    relation: Relation
    threshold: str | float
    words: tuple[str, str] | None = None

    @property
    def path(self) -> str | None:
        """Path of the tunable that sets the threshold; None for a constant."""
        return self.threshold if isinstance(self.threshold, str) else None


class Scenario(NamedTuple):
    """A case in which a filter blocks: all its checks hold.

    Attributes:
        id: its name for programs, unique within the filter.
        title: its name for people.
        longs_only: whether it applies to long entries only.
        switch: path of the tunable that turns it off, in addition to the switch of its filter.
    """

    id: str
    title: str
    checks: tuple[Check, ...]
    longs_only: bool = False
    switch: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, with its tunables and scenarios.

    Attributes:
        name: its name in the configuration and on the wire.
        title: its name for people.
        section: its tunables.
        switch: path of the tunable that turns it off.
        scenarios: the cases in which it blocks.
        rules: conditions between its tunables.
        needs: signals whose votes it uses, whatever their weight.
    """

    name: str
    title: str
    section: type[Section]
    switch: str
    scenarios: tuple[Scenario, ...]
    rules: tuple[Rule, ...] = ()
    needs: tuple[str, ...] = ()
