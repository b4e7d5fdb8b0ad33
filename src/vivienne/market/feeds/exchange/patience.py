"""How long the parts of an exchange's feed wait."""

from __future__ import annotations

import random
from dataclasses import dataclass

LONGEST_WAIT_SECONDS = 60.0
"""Longest random wait between tries."""
_PROMPT_WAIT_SECONDS = 1.5
_PROMPT_SECONDS = 120.0
"""For so long after a connection broke off its stream is tried again after waits of at most `_PROMPT_WAIT_SECONDS`."""


def full_jitter(tries: int, first: float, longest: float = LONGEST_WAIT_SECONDS) -> float:
    """Seconds to wait after so many tries: any time up to a bound that doubles, so that clients do not come at once.

    Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    # Beyond 2 ** 32 the bound has been reached long ago.
    return random.uniform(0.0, min(longest, first * 2.0 ** min(tries, 32)))  # noqa: S311  # no secret


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a feed waits, in seconds.

    Attributes:
        quiet: without news from the exchange before the connection is given up.
        first: until every instrument has its first data.
        answer: until an exchange answers a subscription.
        slow: between tries of what the exchange refuses, and between looks at what it serves.
        late: since a connection broke off, before that is a trouble of its instruments.
        settled: until the exchange has the candle of a minute that has closed.
        pace: seconds of the exchange in a second; of real ones 1.
        retry: bound of the random wait before the second try; it doubles with each one, up to a minute.
    """

    quiet: float = 30.0
    first: float = 30.0
    answer: float = 1.0
    slow: float = 900.0
    late: float = 150.0
    settled: float = 10.0
    retry: float = 0.5
    pace: float = 1.0

    def pause(self, tries: int, longest: float = LONGEST_WAIT_SECONDS) -> float:
        """A random wait after so many tries; see `full_jitter`."""
        return full_jitter(tries, self.retry, longest)

    def pause_of_stream(self, tries: int, seconds: float) -> float:
        """A random wait after so many tries to open a stream, in so many seconds.

        It is short at first, so that data is there again soon after the exchange is. The budget of connections bounds
        how many tries there are besides.
        """
        longest = max(_PROMPT_WAIT_SECONDS, (seconds - _PROMPT_SECONDS) / 2)
        return self.pause(tries, min(LONGEST_WAIT_SECONDS, longest))
