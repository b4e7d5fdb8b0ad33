"""A change for all of thousands of assets: the longest time in which nothing else is answered."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import changing_pieces
from changing_all import SETTLE_SECONDS, START_SECONDS, WANTED_MS, flags_of, waits_in_change
from fanout.rows import Row
from turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanout.candidates import Vivienne

_CHANGES = 3
"""In a turn: a start takes much longer than a change."""
_MOST_ROUNDS = 2


def measure_waits(programs: list[Vivienne], rounds: int, assets: int) -> Iterator[Row]:
    """By the clock, of a small request of another caller to a server."""
    named, waits = {each.name: each for each in programs}, {each.name: list[float]() for each in programs}
    for name in in_turns(list(named), min(rounds, _MOST_ROUNDS)):
        with named[name].serving(*flags_of(assets), patience=START_SECONDS) as running:
            time.sleep(SETTLE_SECONDS)  # the work of the start ends in it, and nothing tells when
            waits[name] += [max(waits_in_change(running.port, number)[0]) for number in range(_CHANGES)]
    what = f"a change for all of {assets:,} assets, the longest wait of another request"
    yield Row(what, "ms", waits, digits=1, most=WANTED_MS)


def measure_pieces(programs: list[Vivienne], rounds: int, assets: int) -> Iterator[Row]:
    """In processor time, between two passes of the event loop."""
    named, pieces = {each.name: each for each in programs}, {each.name: list[float]() for each in programs}
    for name in in_turns(list(named), min(rounds, _MOST_ROUNDS)):
        found = named[name].printed(Path(changing_pieces.__file__), str(assets), str(_CHANGES))
        pieces[name] += [longest for longest, _ in found]
    what = f"a change for all of {assets:,} assets, the longest piece of work, processor time"
    yield Row(what, "ms", pieces, digits=1, most=WANTED_MS)
