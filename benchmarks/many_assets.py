"""Thousands of assets in one process: what a state costs."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from itertools import pairwise

import psutil
from websockets.sync.client import connect

from measuring import Figure, serving, spread

_ASSETS = 2_000
_ROUNDS = 5
_ROUND_SECONDS = 12.0
"""Time over which a round measures what the server uses by itself. A bar closes each minute: in one round of five."""
START_SECONDS = 600.0
_LOOK_SECONDS, _MOST_LOOKS = 2.0, 30
"""Time over which a server is looked at after its start, and how often at most."""
_CAUGHT_UP = 1.1
"""States a second of each asset, at most, of a market that is not behind."""
_CLOSE_SECONDS = 0.1
_WANTED_US, WANTED_ASSETS = 125.0, 8_000
ONE_STATE_A_SECOND = ("--speed", "15")
"""The simulated market moves four times a minute."""


@dataclass(frozen=True)
class Seen:
    """A server at a moment.

    Attributes:
        states: that it has published.
        used: its processor time in seconds.
        at: seconds of a monotonic clock.
    """

    states: int
    used: float
    at: float

    def cost(self, earlier: Seen) -> float:
        """Microseconds of processor time of a state since an earlier moment."""
        return (self.used - earlier.used) / (self.states - earlier.states) * 1e6

    def rate(self, earlier: Seen) -> float:
        """States in a second since an earlier moment."""
        return (self.states - earlier.states) / (self.at - earlier.at)


def names_of(count: int) -> str:
    """The names of so many assets, as `--assets` takes them."""
    return ",".join(f"A{number}" for number in range(count))


def measure(assets: float = _ASSETS) -> list[Figure]:
    """Measure processor time of the whole server over the states that it published, in rounds."""
    count = int(assets)
    with serving("--assets", names_of(count), *ONE_STATE_A_SECOND, patience=START_SECONDS) as running:
        process, port = running.process.pid, running.port
        wait_until_caught_up(process, port, count)
        seen = [look(process, port, count)]
        for _ in range(_ROUNDS):
            time.sleep(_ROUND_SECONDS)  # what is measured is the use of this time
            seen.append(look(process, port, count))
        memory = psutil.Process(process).memory_info().rss
    costs = [later.cost(earlier) for earlier, later in pairwise(seen)]
    cost = statistics.median(costs)
    return [
        Figure(
            f"a state of one of {count:,} assets, processor time", spread(costs, "us", 0), f"<= {_WANTED_US:g} us",
            cost <= _WANTED_US,
        ),
        Figure("the same over all rounds, with the close of a bar each minute", f"{seen[-1].cost(seen[0]):.0f} us"),
        Figure("states in a second, of each asset", f"{seen[-1].rate(seen[0]) / count:.2f}"),
        Figure(
            "assets at one state a second in one process, from it", f"{1e6 / cost:,.0f}", f">= {WANTED_ASSETS:,}",
            1e6 / cost >= WANTED_ASSETS,
        ),
        Figure("memory of an asset, 2,500 bars", f"{memory / count / 1e6:.2f} MB"),
    ]  # fmt: skip


def wait_until_caught_up(process: int, port: int, count: int) -> None:
    """Wait until the market is where its clock is: after a long start its states come faster, and cost less."""
    seen = look(process, port, count)
    for _ in range(_MOST_LOOKS):
        time.sleep(_LOOK_SECONDS)  # the rate is that of this time
        seen, earlier = look(process, port, count), seen
        if seen.rate(earlier) <= count * _CAUGHT_UP:
            return
    raise RuntimeError(f"the market of {count:,} assets is behind {_MOST_LOOKS * _LOOK_SECONDS:g} s after the start")


def look(process: int, port: int, count: int) -> Seen:
    """Look at a server with so many assets; the numbers of their newest states say how many were published."""
    numbers: dict[str, int] = {}
    url = f"ws://127.0.0.1:{port}/ws/state"
    with connect(url, max_size=None, close_timeout=_CLOSE_SECONDS) as client:
        while len(numbers) < count:
            message = json.loads(client.recv())
            if message["type"] == "asset_data":
                numbers[message["asset"]] = message["seq"]
        times = psutil.Process(process).cpu_times()
        return Seen(sum(numbers.values()), float(times.user + times.system), time.monotonic())
