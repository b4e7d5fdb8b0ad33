"""Types of a signal: for every bar a direction (+1 long, -1 short, 0 no vote) and a strength from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vivienne.agent.tolerance import EQUAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.agent.indicators import Columns
    from vivienne.agent.rules import Rule
    from vivienne.agent.tunable import Section
    from vivienne.market.types import BoolArray, FloatArray
    from vivienne.wire.explanation import Unit


class Vote(NamedTuple):
    """The vote of one signal on every row.

    Attributes:
        direction: +1, -1 or 0, as floats.
        strength: 0 to 1.
        reading: the value that the vote is based on, for the explanation.
    """

    direction: FloatArray
    strength: FloatArray
    reading: FloatArray


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


def in_atr(difference: FloatArray, atr: FloatArray) -> FloatArray:
    """A price difference in units of ATR; 0 where the ATR is 0, so that a market without movement gives no vote."""
    return difference / np.where(atr > 0.0, atr, np.inf)


def leaning(reading: FloatArray, full: float) -> Vote:
    """A vote with the sign of the reading; its strength grows with the size and is 1 at `full` or more."""
    return Vote(np.sign(reading), np.minimum(np.abs(reading) / full, 1.0), reading)


def excursion(up: BoolArray, down: BoolArray, percent_b: FloatArray, full: float) -> Vote:
    """A vote with strength 0.5 or more; the strength grows with the distance of %B outside 0..1."""
    direction = up.astype(np.float64) - down
    strength = np.where(direction == 0, 0.0, 0.5 + 0.5 * np.minimum(overshoot(percent_b) / full, 1.0))
    return Vote(direction, strength, percent_b)


def no_vote(reading: FloatArray) -> Vote:
    """A vote of 0 on every row, the usual result of signals that rarely vote."""
    nothing = np.zeros(len(reading))
    return Vote(nothing, nothing, reading)


def is_within(percent_b: FloatArray) -> bool:
    """True if every close is within the bands or on one of them, the usual case."""
    values: list[float] = percent_b.tolist()
    return min(values) >= -EQUAL and max(values) <= 1 + EQUAL


def overshoot(percent_b: FloatArray) -> FloatArray:
    """Distance outside the bands, in band widths; negative inside."""
    return np.maximum(-percent_b, percent_b - 1.0)
