"""Counts of changes by their channel and what became of them, for the metrics."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from vivienne.errors import ChangeRefused, NotStored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vivienne.metrics.registry import Metrics

CHANGES = "vivienne_changes_total"


class ChangeCounts:
    """Counts every change once: accepted, repeated, or the code of its refusal.

    Args:
        metrics: where they are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def expect(self, *channels: str) -> None:
        """Announce channels, so that the first change over one shows as an increase of a counter."""
        for channel in channels:
            for result in ("accepted", NotStored.code):
                self._metrics.expect(CHANGES, channel, result)

    @contextmanager
    def refusals(self, channel: str) -> Iterator[None]:
        """Count a change that is refused within, by the channel it came over."""
        try:
            yield
        except ChangeRefused as refused:
            self._metrics.count(CHANGES, channel, refused.code)
            raise

    def answered(self, channel: str, *, made: bool) -> None:
        """Count a change that was made, or a repetition that was answered again."""
        self._metrics.count(CHANGES, channel, "accepted" if made else "repeated")
