"""Agents whose clock is not that of this process. Nothing is decided by it; times in the history and ages are wrong."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from vivienne.cluster.agreement import MOST_TOLD
from vivienne.times import CLOCKS_DIFFER, now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vivienne.cluster.heartbeats import Heartbeat

_COMPARED = 5
"""Heartbeats that are compared. The nearest of them counts: a message, or a process, may be held up for a moment."""


class Clocks:
    """Compares the times in heartbeats with the clock of this process.

    Args:
        clock: the wall clock.
    """

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._apart: dict[str, deque[float]] = {}

    def take(self, beat: Heartbeat) -> None:
        """Take a heartbeat; earlier versions say no time."""
        if (said := beat.get("time")) is not None:
            apart = self._apart.setdefault(beat["agent"], deque(maxlen=_COMPARED))
            apart.append(said / 1_000 - self._clock().timestamp())

    def forget(self, agent: str) -> None:
        """Remove an agent."""
        self._apart.pop(agent, None)

    def reasons(self, agents: list[Heartbeat]) -> dict[str, str]:
        """By agent of these, how far its clock is from that of this process, in words; at most `MOST_TOLD`."""
        found: dict[str, str] = {}
        for beat in agents:
            apart = self._apart.get(beat["agent"], ())
            nearest = min(apart, key=abs, default=0.0)
            if len(apart) < _COMPARED or abs(nearest) < CLOCKS_DIFFER or len(found) >= MOST_TOLD:
                continue
            where = "ahead of" if nearest > 0 else "behind"
            found[f"{beat['shard']} ({beat['agent']})"] = (
                f"its clock is {abs(nearest):.1f} s {where} that of this process; set both with NTP"
            )
        return found
