"""Assets at one state a second that fill one process."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING

from fanout.rows import Row
from many_assets import ONE_STATE_A_SECOND, START_SECONDS, WANTED_ASSETS, Seen, look, names_of, wait_until_caught_up
from measuring import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanout.candidates import Vivienne
    from measuring import Serving

_PARTS = 6


def measure_many_assets(programs: list[Vivienne], assets: int, seconds: float) -> Iterator[Row]:
    """From the processor time of a state, in a server with fewer assets: all of them would take too much memory.

    All servers run at the same time, and none is near its limit: a market that is halted has to catch up afterwards,
    and its states cost less then. The simulated market closes a bar each minute, as a real one does in fifteen, so the
    median over the parts is that of a state between bars.

    Args:
        programs: to measure.
        assets: of each server.
        seconds: over which states are counted, in parts.
    """
    with ExitStack() as opened:
        running: dict[str, Serving] = {}
        for each in programs:
            flags = ("--assets", names_of(assets), *ONE_STATE_A_SECOND)
            starting = serving(*flags, python=each.python, patience=START_SECONDS)  # not on the same core
            running[each.name] = opened.enter_context(starting)
        for server in running.values():
            wait_until_caught_up(server.process.pid, server.port, assets)
        seen = {name: [_look(server, assets)] for name, server in running.items()}
        for _ in range(_PARTS):
            time.sleep(seconds / _PARTS)  # what is measured is the use of this time
            for name, server in running.items():
                seen[name].append(_look(server, assets))
    yield Row(
        "assets at one state a second before a process falls behind",
        "",
        {name: [1e6 / later.cost(earlier) for earlier, later in pairwise(each)] for name, each in seen.items()},
        at_least=WANTED_ASSETS,
        besides={name: _about(each, assets) for name, each in seen.items()},
    )


def _look(server: Serving, assets: int) -> Seen:
    return look(server.process.pid, server.port, assets)


def _about(seen: list[Seen], assets: int) -> str:
    cost = statistics.median(later.cost(earlier) for earlier, later in pairwise(seen))
    whole = seen[-1].cost(seen[0])
    return f"from {cost:.0f} us a state with {assets:,} assets; {whole:.0f} us with the close of a bar each minute"
