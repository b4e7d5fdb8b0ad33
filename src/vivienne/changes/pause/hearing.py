"""Pauses that other processes announce. They are in force at once, also while the database cannot be read.

An announcement can only pause. What it says is believed until the database can be read: one that claims to be stored
and is not in there is over. One that is not stored yet is over when it is, or when its assets are resumed.
"""

from __future__ import annotations

import logging
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.changes.pause.state import PauseInForce
from vivienne.config.layers import GLOBAL, asset_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vivienne.changes.in_force import LayersInForce
    from vivienne.wire.pause import PauseClaim

_log = logging.getLogger(__name__)

BELIEVED_SECONDS = 0.5
"""Time for which an announced pause is in force at least, so that forged ones do not switch assets all the time."""
MOST_NOT_FOUND = 256
"""Announced pauses that are remembered because the database does not have them."""


class Hearing:
    """Puts announced pauses in force.

    Args:
        in_force: what is paused.
        tell: called when a pause comes into force, or ends.
        clock: the time, ISO 8601 UTC.
        seconds: of a monotonic clock.
    """

    def __init__(
        self,
        in_force: LayersInForce,
        tell: Callable[[], None],
        clock: Callable[[], str],
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._in_force = in_force
        self._tell = tell
        self._clock = clock
        self._monotonic = seconds
        # By name of those in force, when each was heard.
        self._heard: dict[str, float] = {}
        # Names of those that are not in the database, so that a repeated announcement does not pause again.
        self._not_found: deque[str] = deque(maxlen=MOST_NOT_FOUND)

    def take(self, claims: Iterable[PauseClaim]) -> bool:
        """Take announcements; tell whether there was one that is in force now."""
        taken = [pause for claim in claims if (pause := self._taken(claim)) is not None]
        if not taken:
            return False
        pauses = self._in_force.pauses
        new = sorted({pause.layer for pause in taken if pauses.of(pause.layer) is None})
        self._in_force.hear(taken)
        at = self._monotonic()
        self._heard = {each.config_id: self._heard.get(each.config_id, at) for each in self._in_force.pauses.heard}
        if new:  # nothing else shows
            _log.info(
                "Another process announced that it paused %s", ", ".join(asset_of(layer) or "all" for layer in new)
            )
            self._tell()
        return True

    def claimed_as_stored(self) -> frozenset[PauseInForce]:
        """Announced pauses that should be in the database by now."""
        until = self._monotonic() - BELIEVED_SECONDS
        stored = (each for each in self._in_force.pauses.heard if each.version is not None)
        return frozenset(each for each in stored if self._heard[each.config_id] <= until)

    def _taken(self, claim: PauseClaim) -> PauseInForce | None:
        layer, version = claim["asset_symbol"] or GLOBAL, claim["version"]
        if layer not in (GLOBAL, *self._in_force.assets) or self._in_force.pauses.knows(claim["config_id"]):
            return None
        # The database has been read up to there, or does not have it.
        if version is not None and (version <= self._in_force.version or claim["config_id"] in self._not_found):
            return None
        pause = PauseInForce.announced(claim, layer, self._clock())
        return None if self._in_force.pauses.is_over(pause) else pause

    def not_found(self, claimed: frozenset[PauseInForce]) -> None:
        """End those of them that are still not known to be stored, after everything in the database was read."""
        gone = claimed.intersection(self._in_force.pauses.heard)
        if not gone:
            return
        for pause in gone:
            self._not_found.append(pause.config_id)
            _log.warning(
                "A pause was announced as version %s, which the database does not have; it ends", pause.version
            )
        self._in_force.take_back(gone)
        self._tell()
