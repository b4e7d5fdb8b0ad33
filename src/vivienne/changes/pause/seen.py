"""What was known of pauses when a resumption was asked for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vivienne.errors import VersionConflict

if TYPE_CHECKING:
    from vivienne.changes.pause.state import PauseInForce, PausesInForce


class Seen(NamedTuple):
    """The pauses that a resumption may end: those that were there when it was asked for.

    Attributes:
        version: the newest one that was followed here when it came in.
        pauses: in force then.
        under_way: those of this process that were not answered yet, by config_id.
        asked_at: when it was asked for, if it waited before it came in.
    """

    version: int
    pauses: PausesInForce
    under_way: frozenset[str]
    asked_at: str | None

    def precedes(self, pause: PauseInForce, now: str) -> bool:
        """Tell whether the resumption waited, and was asked for before that pause. No clock is ahead of `now`."""
        return self.asked_at is not None and self.asked_at < pause.created_at <= now

    def expect(self, pause: PauseInForce | None, now: str) -> None:
        """Refuse a resumption that would end a pause that came after it.

        Args:
            pause: the one of its layer that is stored, if any.
            now: the time.

        Raises:
            VersionConflict: it came after it, as far as can be told: of two processes no clock says who was first.
        """
        if pause is None or pause.version is None:
            return
        if self.precedes(pause, now):
            raise VersionConflict(
                f"This resumption waited since {self.asked_at}, and somebody paused after that (version "
                f"{pause.version}, of {pause.created_at}); resume again to end that"
            )
        is_known = pause.version <= self.version or self.pauses.knows(pause.config_id, pause.layer)
        if not is_known and pause.config_id not in self.under_way:
            raise VersionConflict(
                f"A pause of another process (version {pause.version}, of {pause.created_at}) was not known here when "
                "this resumption was asked for; resume again to end that"
            )
