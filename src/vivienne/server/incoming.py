"""What WebSocket clients send: counted for each caller, with the warnings and metrics of what is refused."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Protocol

import orjson

from vivienne.access.limits import MessageLimits
from vivienne.rates import Quota, Rate
from vivienne.server.held import Held
from vivienne.server.shares import Shares
from vivienne.server.turns import Turns

if TYPE_CHECKING:
    from vivienne.access.budget import TimeBudgets
    from vivienne.metrics.registry import Metrics

_log = logging.getLogger(__name__)

MOST_LINES = 10
"""Lines in the log a minute, of each kind."""
MOST_HELD, MOST_HELD_OF_ALL = 16 * 1024 * 1024, 32 * 1024 * 1024
"""Bytes that are kept of messages - of one caller, of all together - that are not whole yet, wait, or are answered."""
SMALL_FRAMES, _SMALL_FRAMES_SECONDS = 10_000, 10.0
"""Frames that are no message by themselves of one caller, over all its WebSockets: at once, and in so many seconds. Two
thousand that are pinged and ping every 20 s have a fifth of it."""
_WRITTEN_ON_PER_PASS = 8
"""WebSockets that are written to again in a pass of the event loop, because their clients read again."""
CLOSED, REFUSED = "vivienne_websockets_closed_total", "vivienne_handshakes_refused_total"


class Receiver(Protocol):
    """A WebSocket that receives."""

    def give_up_messages(self) -> None:
        """End the WebSocket and drop what is kept of its messages."""


class Incoming:
    """Counts for the protocol of WebSockets, and has its turns.

    Args:
        budgets: of the time that reading takes.
        metrics: where what is refused is counted.
        longest: bytes that a message may have; of a longer one only its length is kept.

    Attributes:
        reading: turns to read what has arrived.
        writing_on: turns to go on writing to a client that reads again.
    """

    def __init__(self, budgets: TimeBudgets, metrics: Metrics, longest: int = MessageLimits().bytes) -> None:
        self.reading = Shares(budgets)
        self.writing_on = Turns(_WRITTEN_ON_PER_PASS)
        self.longest = longest
        self._metrics = metrics
        self._held: Held[Receiver] = Held(MOST_HELD_OF_ALL, MOST_HELD)
        self._small = Rate(SMALL_FRAMES, _SMALL_FRAMES_SECONDS, monotonic)
        self._closed = Quota(_log, logging.WARNING, MOST_LINES)
        self._refused = Quota(_log, logging.WARNING, MOST_LINES)
        for why in ("frames", "held", "unfinished"):
            metrics.expect(CLOSED, why)

    def holds(self, receiver: Receiver, key: str, size: int) -> None:
        """Note that so many bytes are kept of the messages of a WebSocket. Of too many, those of the largest go."""
        self._held.count(receiver, key, size)
        while (largest := self._held.one_too_many(key)) is not None:
            self._held.count(largest, key, 0)
            largest.give_up_messages()

    def admits(self, key: str, small: int) -> bool:
        """Count frames of a caller that are no message; tell whether there may be so many."""
        self._small.draw(key, small)
        return not self._small.wait(key)

    def closed(self, client: tuple[str, int] | None, why: str, reason: str) -> None:
        """Count a WebSocket that is closed because of what was sent on it."""
        self._metrics.count(CLOSED, why)
        self._closed.log("Closed a WebSocket of %s: %s", client[0] if client else "an unknown address", reason)

    def refused(self, address: str | None, status: int, body: bytes) -> None:
        """Count a handshake that was answered with something else than 101.

        Args:
            address: of the client, if known.
            status: of the answer.
            body: of the answer.
        """
        self._metrics.count(REFUSED, str(status))
        self._refused.log(
            "Refused a WebSocket handshake of %s: %d %s", address or "an unknown address", status, _reason(body)
        )


def _reason(body: bytes) -> str:
    """The reason in a problem document."""
    try:
        problem = orjson.loads(body)
        return str(problem.get("detail") or problem["title"])
    except (orjson.JSONDecodeError, AttributeError, KeyError):
        return body[:200].decode("latin-1").strip()
