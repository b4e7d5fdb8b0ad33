"""What was known of pauses when a resumption was asked for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vivienne.errors import VersionConflict
from vivienne.times import later

if TYPE_CHECKING:
    from vivienne.changes.asked import Place
    from vivienne.changes.pause.state import PauseInForce, PausesInForce


AT_ONCE_SECONDS = 0.25
"""Of what another process stored within this time nobody knows whether it was before; its clock tells, as far as it is
right. It must not take long, because clocks differ."""


class Seen(NamedTuple):
    """The pauses that a resumption may end: those that were there when it was asked for.

    Attributes:
        version: the newest one that was followed here when it came in.
        pauses: in force then.
        under_way: those of this process that were not answered yet, by config_id.
        asked_at: when it was asked for, ISO 8601 UTC. It may have waited until it came in.
        stored: the newest version in the database, looked up when it came in.
        looked_up_at: when that was known.
        place: of the resumption among what came the same way.
    """

    version: int
    pauses: PausesInForce
    under_way: frozenset[str]
    asked_at: str
    stored: int
    looked_up_at: str
    place: Place | None

    def precedes(self, pause: PauseInForce, now: str) -> bool:
        """Tell whether a pause was asked for after the resumption, as far as can be told.

        Of those that came the same way their order tells, however long they waited. One of another process that this
        one had heard of came before it, whatever clocks say. Of those that it had not heard of, only one that was
        stored when it was asked for may have come before.
        """
        if self._follows(pause):
            return False
        if pause.place is not None and pause.place.is_after(self.place):  # it went before it
            return True
        was_there = pause.version is not None and pause.version <= self.stored
        if pause.heard_at is not None:
            is_at_once = self.looked_up_at <= later(self.asked_at, AT_ONCE_SECONDS)
            may_be_before = was_there and is_at_once and pause.created_at < self.asked_at
            return self.asked_at < pause.heard_at <= now and not may_be_before  # a time in the future says nothing
        if pause.place is not None or self._knew(pause):
            return self.asked_at < pause.created_at <= now
        return not was_there or pause.created_at >= self.asked_at

    def _follows(self, pause: PauseInForce) -> bool:
        return self.place is not None and self.place.is_after(pause.place)

    def no_earlier(self, pause: PauseInForce) -> str:
        """The earliest time at which the resumption can have been asked for: after pauses that came the same way."""
        return max([self.asked_at, *(each.created_at for each in (pause, *pause.others) if self._follows(each))])

    def _knew(self, pause: PauseInForce) -> bool:
        is_followed = pause.version is not None and pause.version <= self.version
        return is_followed or pause.config_id in self.under_way or self.pauses.knows(pause.config_id, pause.layer)

    def expect(self, pause: PauseInForce | None, now: str) -> None:
        """Refuse a resumption that would end a pause that came after it.

        Args:
            pause: of its layer, if any.
            now: the time; no clock that is right is ahead of it.

        Raises:
            VersionConflict: it came after it.
        """
        for each in () if pause is None else (pause, *pause.others):
            if self.precedes(each, now):
                version = "not stored yet" if each.version is None else f"version {each.version}"
                raise VersionConflict(
                    f"Somebody paused after this resumption was asked for at {self.asked_at} ({version}, of "
                    f"{each.created_at}); resume again to end that"
                )
