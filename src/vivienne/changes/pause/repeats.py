"""Pauses of what is paused already, again and again: some have an entry in the history, further ones share the last."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from vivienne.rates import Rate
from vivienne.times import CLOCKS_DIFFER, later

if TYPE_CHECKING:
    from vivienne.changes.pause.held import Held
    from vivienne.store.revision import AppliedRevision

MOST_REPEATED = 60
"""Pauses of what is paused already that have an entry each, in a minute, of a caller: the rest would fill the disk."""


class Repeats:
    """The newest pause of each layer that is in force by another one, and has no entry itself."""

    def __init__(self) -> None:
        self._covered: dict[str, Held] = {}
        self._rate = Rate(MOST_REPEATED, 60.0, monotonic)

    def allow(self, caller: str) -> bool:
        """Tell whether a caller may have one more entry now."""
        return not self._rate.take(caller)

    def of(self, layer: str) -> Held | None:
        """The one of a layer."""
        return self._covered.get(layer)

    def add(self, held: Held) -> None:
        """Note one."""
        layer = held.pause.layer
        known = self._covered.get(layer)
        if known is None or known.pause.created_at <= held.pause.created_at:
            self._covered[layer] = held

    def followed(self, change: AppliedRevision) -> Held | None:
        """Take note of a change. Gives the pause that it ended though that came after it, as others may do.

        The process that stored a resumption may not know of it.
        """
        switch = change.revision
        covered = self._covered.get(switch.layer)
        if not switch.is_switch or covered is None:
            return None
        # The clock of another process may be ahead, so in doubt it is from before.
        apart = 0.0 if change.made_here else CLOCKS_DIFFER
        is_from_before = switch.created_at < later(covered.pause.created_at, apart)
        if switch.action == "pause" and is_from_before:
            return None  # it does not cover that one
        del self._covered[switch.layer]
        return covered if is_from_before and switch.action == "resume" else None
