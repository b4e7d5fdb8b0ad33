"""What WebSocket clients send: counted for each caller, with the warnings and metrics of what is refused."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

import orjson

from vivienne.rates import Quota

if TYPE_CHECKING:
    from vivienne.access.budget import TimeBudgets
    from vivienne.metrics.registry import Metrics

_log = logging.getLogger(__name__)

MOST_LINES = 10
"""Lines in the log a minute, of each kind."""
MOST_HELD = 16 * 1024 * 1024
"""Bytes that are kept of messages of one caller that are not whole yet, or wait for their turn."""
CLOSED, REFUSED = "vivienne_websockets_closed_total", "vivienne_handshakes_refused_total"


class Incoming:
    """Counts for the protocol of WebSockets.

    Args:
        budgets: of the time that reading takes.
        metrics: where what is refused is counted.
    """

    def __init__(self, budgets: TimeBudgets, metrics: Metrics) -> None:
        self.budgets = budgets
        self._metrics = metrics
        self._held: Counter[str] = Counter()
        self._closed = Quota(_log, logging.WARNING, MOST_LINES)
        self._refused = Quota(_log, logging.WARNING, MOST_LINES)
        for why in ("frames", "held", "unfinished"):
            metrics.expect(CLOSED, why)

    def holds(self, key: str, more: int) -> bool:
        """Count so many bytes more, or fewer, that are kept for a caller; tell whether there may be so many."""
        self._held[key] += more
        if not self._held[key]:
            del self._held[key]
        return self._held[key] <= MOST_HELD

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
