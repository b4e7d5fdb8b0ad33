"""What became of changes: counted by their channel for the metrics, and, where they were refused, in the log."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vivienne import trace
from vivienne.errors import ChangeRefused, NotStored
from vivienne.rates import Quota

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.metrics.registry import Metrics

CHANGES = "vivienne_changes_total"
LONGEST_REASON = 300
"""Characters of the reason of a refusal in the log."""


class ChangeCounts:
    """Counts every change once: accepted, repeated, or the code of its refusal.

    Args:
        metrics: where they are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told: tuple[str, str, str] | None = None
        self._refused = Quota(logging.getLogger(__name__), logging.WARNING)

    def expect(self, *channels: str) -> None:
        """Announce channels, so that the first change over one shows as an increase of a counter."""
        for channel in channels:
            for result in ("accepted", NotStored.code):
                self._metrics.expect(CHANGES, channel, result)

    @contextmanager
    def refusals(self, channel: str) -> Iterator[None]:
        """Count and log a change that is refused within, by the channel it came over."""
        try:
            yield
        except ChangeRefused as refused:
            self._metrics.count(CHANGES, channel, refused.code)
            self._log(channel, refused)
            raise

    def answered(self, channel: str, *, made: bool) -> None:
        """Count a change that was made, or a repetition that was answered again."""
        self._metrics.count(CHANGES, channel, "accepted" if made else "repeated")

    def _log(self, channel: str, refused: ChangeRefused) -> None:
        reason = str(refused)
        if len(reason) > LONGEST_REASON:
            reason = reason[:LONGEST_REASON] + "..."
        who = trace.caller.get() or "an unknown caller"
        told = (channel, who, reason)
        if isinstance(refused, NotStored) and told == self._told:
            return  # a pause in force is sent to the store again every second; the log has the first time
        self._told = told
        self._refused.log("A change by %s over %s was refused (%s): %s", who, channel, refused.code, reason)
