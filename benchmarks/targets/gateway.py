"""States that a gateway can take in a second."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import TYPE_CHECKING

from fanout.rows import Row
from intake import WANTED, gateway_alone
from turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanout.candidates import Vivienne
    from intake import Taken


def measure_gateway(programs: list[Vivienne], rounds: int, seconds: float) -> Iterator[Row]:
    """As changes; earlier versions take whole states only.

    Args:
        programs: to measure.
        rounds: in which each has its turn.
        seconds: of a turn.
    """
    taken: dict[str, list[Taken]] = {each.name: [] for each in programs}
    with ExitStack() as opened:
        floods = {each.name: opened.enter_context(gateway_alone(each.python)) for each in programs}
        for name in in_turns(list(floods), rounds):
            taken[name].append(floods[name].takes(seconds, changes=floods[name].takes_changes))
    besides = {
        name: ", ".join(
            (
                *(() if floods[name].takes_changes else ("whole states",)),
                f"{statistics.median(each.rate for each in turns):,.0f} by the clock",
            )
        )
        for name, turns in taken.items()
    }
    rates = {name: [1e6 / each.processor_us for each in turns] for name, turns in taken.items()}
    yield Row("states that a gateway takes", "/s", rates, at_least=WANTED, besides=besides)
