"""From the start of the program to its first state, and to the end of its shortest command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanout.rows import Row
from measuring import serving
from process import WANTED_HELP_S, WANTED_STATE_S, helping, until_first_state
from turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanout.candidates import Vivienne


def measure_starting(programs: list[Vivienne], rounds: int) -> Iterator[Row]:
    """By the clock, with a new database and three assets."""
    pythons = {each.name: each.python for each in programs}
    states: dict[str, list[float]] = {name: [] for name in pythons}
    helps: dict[str, list[float]] = {name: [] for name in pythons}
    for name in in_turns(list(pythons), rounds):
        with serving(python=pythons[name]) as running:
            states[name].append(until_first_state(running))
        helps[name].append(helping(pythons[name])[0])
    yield Row("start to the first state", "s", states, digits=2, most=WANTED_STATE_S)
    yield Row("vivienne --help", "s", helps, digits=2, most=WANTED_HELP_S)
