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
        asked_at: when it was asked for, ISO 8601 UTC. It may have waited until it came in.
        stored: the newest version in the database, looked up when it came in.
    """

    version: int
    pauses: PausesInForce
    under_way: frozenset[str]
    asked_at: str
    stored: int

    def precedes(self, pause: PauseInForce, now: str) -> bool:
        """Tell whether a pause was asked for after the resumption, as far as can be told.

        Of pauses that another process stored before the database was looked at, its clock has to tell. A time in
        the future says nothing of a pause that was known here.
        """
        if self._knew(pause):
            return self.asked_at < pause.created_at <= now
        was_there = pause.version is not None and pause.version <= self.stored
        return not was_there or pause.created_at >= self.asked_at

    def _knew(self, pause: PauseInForce) -> bool:
        is_followed = pause.version is not None and pause.version <= self.version
        return is_followed or pause.config_id in self.under_way or self.pauses.knows(pause.config_id, pause.layer)

    def expect(self, pause: PauseInForce | None, now: str) -> None:
        """Refuse a resumption that would end a pause that came after it.

        Args:
            pause: the one of its layer that is stored, if any.
            now: the time; no clock that is right is ahead of it.

        Raises:
            VersionConflict: it came after it.
        """
        if pause is not None and self.precedes(pause, now):
            raise VersionConflict(
                f"Somebody paused after this resumption was asked for at {self.asked_at} (version {pause.version}, of "
                f"{pause.created_at}); resume again to end that"
            )
