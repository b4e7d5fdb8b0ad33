"""The shape of a filter, which can hold an entry back.

A filter is a list of scenarios; a scenario blocks where all its checks hold. Checks are data - a measure, a relation, a
threshold and the tunable it comes from - so that the explanation and the nearest change follow from the same lines
that decide. A value that does not exist (no trades, no level, no VWAP) is NaN, and a comparison with NaN never holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vivienne.agent.indicators import Columns
    from vivienne.agent.rules import Rule
    from vivienne.agent.signals.base import Vote
    from vivienne.agent.tunable import Section
    from vivienne.market.types import FloatArray
    from vivienne.wire.explanation import Relation, Unit


@dataclass(frozen=True, slots=True)
class Scene:
    """All that filters look at, one value per row; "ahead" is in the direction of the entry.

    Attributes:
        columns: bars and indicators.
        side: +1 long, -1 short, 0 no entry to block.
        trend: +1 up, -1 down, 0 neither.
        votes: by signal; those that have a weight, and those that a filter needs.
        support, resistance: nearest level below and above, NaN without one.
        timeframe_minutes: length of a bar.
    """

    columns: Columns
    side: FloatArray
    trend: FloatArray
    votes: Mapping[str, Vote]
    support: FloatArray
    resistance: FloatArray
    timeframe_minutes: int


class Measure(NamedTuple):
    """A figure that a check compares.

    Attributes:
        id: its name for programs.
        words: its name for people.
        unit: of its values.
        column: a pure function that gives it for every row; NaN where it does not exist.
    """

    id: str
    words: str
    unit: Unit
    column: Callable[[Scene], FloatArray]


class Check(NamedTuple):
    """One comparison.

    Attributes:
        measure: the figure that is compared.
        threshold: the path of a tunable, or a constant.
        words: for people, where it holds and where it does not, when figures would not tell.
    """

    measure: Measure
    relation: Relation
    threshold: str | float
    words: tuple[str, str] | None = None

    @property
    def path(self) -> str | None:
        """The tunable behind the threshold, if there is one."""
        return self.threshold if isinstance(self.threshold, str) else None


class Scenario(NamedTuple):
    """A way in which a filter blocks: all its checks hold.

    Attributes:
        id: its name for programs, unique within the filter.
        title: its name for people.
        longs_only: whether it leaves shorts alone.
        switch: the tunable that turns it off, beyond the switch of its filter.
    """

    id: str
    title: str
    checks: tuple[Check, ...]
    longs_only: bool = False
    switch: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter.

    Attributes:
        name: in the configuration and on the wire.
        title: its name for people.
        section: its tunables.
        switch: the path of the tunable that turns it off.
        scenarios: the ways in which it blocks.
        rules: conditions between its tunables.
        needs: signals whose votes it looks at, whatever their weight.
    """

    name: str
    title: str
    section: type[Section]
    switch: str
    scenarios: tuple[Scenario, ...]
    rules: tuple[Rule, ...] = ()
    needs: tuple[str, ...] = ()
