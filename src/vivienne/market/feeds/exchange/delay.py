"""How late messages of an exchange are, by its clock, without trust in the clock of this machine.

The difference of the exchange's time in a message and the monotonic time of its receipt has three parts: how the two
clocks stand to each other, which does not change but for drift; the least time a message takes, which does not change
either; and what this message waited besides, in the network, at the exchange or in this process. The smallest
difference of the last ten minutes stands for the first two, so what a message exceeds it by is its delay. A clock that
slips is forgotten with them.

It cannot tell the time that every message takes: a path that is always 200 ms long has a delay of 0.
"""

from __future__ import annotations

import math
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DRIFT = 0.0005
"""Fraction by which one clock may run faster than the other: the most by which NTP corrects a clock."""
_PART_SECONDS = 300.0
"""The smallest differences of this part and of the one before it count."""


class Delay:
    """The delay of the newest message.

    Args:
        clock: a monotonic clock, in seconds.

    Attributes:
        seconds: by which it came later than the quickest; None while none is heard.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._newest = 0
        self._least = self._least_before = math.inf
        self._since = self._part_began = -math.inf
        self.seconds: float | None = None

    def hear(self, time: int) -> None:
        """Take the exchange's time in a message, in ms. One that is no later than the newest is a repetition."""
        if time <= self._newest:
            return
        self._newest, now = time, self._clock()
        difference = now - time / 1000
        if now - self._part_began > _PART_SECONDS:
            is_next = now - self._part_began <= 2 * _PART_SECONDS
            self._least_before = self._least if is_next else math.inf
            self._least, self._part_began = math.inf, now
        drifted = (now - self._since) * DRIFT
        self._least = min(difference, self._least + drifted)
        self._least_before += drifted
        self._since = now
        self.seconds = difference - min(self._least, self._least_before)

    def skip(self, time: int) -> None:
        """Take the time of something that is not new, such as a trade of before the subscription: it has no delay."""
        self._newest = max(self._newest, time)

    def lose(self) -> None:
        """No messages arrive any longer."""
        self.seconds = None
