"""Types of a signal: for every bar a direction (+1 long, -1 short, 0 no vote) and a strength from 0 to 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from vivienne.agent.arithmetic import bounds, greatest, least, sign, where, zeros
from vivienne.agent.tolerance import EQUAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.agent.arithmetic import Conditions, Values
    from vivienne.agent.indicators import Columns
    from vivienne.agent.rules import Rule
    from vivienne.agent.tunable import Section
    from vivienne.wire.explanation import Unit


class Vote(NamedTuple):
    """The vote of one signal on every row.

    Attributes:
        direction: +1, -1 or 0, as floats.
        strength: 0 to 1.
        reading: the value that the vote is based on, for the explanation.
    """

    direction: Values
    strength: Values
    reading: Values


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal, with its tunables and its function.

    Attributes:
        name: its name in the configuration and on the wire.
        title: its name for people.
        weight: its default weight.
        reading: a few words on how it interprets the market.
        measure: name of the value it reads, for people.
        unit: unit of that value.
        section: its tunables, which become part of the section `signals`.
        vote: a pure function of the columns and of a section that contains its tunables.
        rules: conditions between its tunables.
    """

    name: str
    title: str
    weight: float
    reading: str
    measure: str
    unit: Unit
    section: type[Section]
    vote: Callable[[Columns, Any], Vote]
    rules: tuple[Rule, ...] = ()


def in_atr(difference: Values, atr: Values) -> Values:
    """A price difference in units of ATR; 0 where the ATR is 0, so that a market without movement gives no vote."""
    return difference / where(atr > 0.0, atr, math.inf)


def leaning(reading: Values, full: float) -> Vote:
    """A vote with the sign of the reading; its strength grows with the size and is 1 at `full` or more."""
    return Vote(sign(reading), least(abs(reading) / full, 1.0), reading)


def excursion(up: Conditions, down: Conditions, percent_b: Values, full: float) -> Vote:
    """A vote with strength 0.5 or more; the strength grows with the distance of %B outside 0..1."""
    direction = up * 1.0 - down
    strength = where(direction == 0, 0.0, 0.5 + 0.5 * least(overshoot(percent_b) / full, 1.0))
    return Vote(direction, strength, percent_b)


def no_vote(reading: Values) -> Vote:
    """A vote of 0 on every row, the usual result of signals that rarely vote."""
    nothing = zeros(reading)
    return Vote(nothing, nothing, reading)


def is_within(percent_b: Values) -> bool:
    """True if every close is within the bands or on one of them, the usual case."""
    low, high = bounds(percent_b)
    return low >= -EQUAL and high <= 1 + EQUAL


def overshoot(percent_b: Values) -> Values:
    """Distance outside the bands, in band widths; negative inside."""
    return greatest(-percent_b, percent_b - 1.0)
