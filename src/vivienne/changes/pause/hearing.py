"""Pauses that other processes announce. They are in force at once, also while the database cannot be read.

An announcement can only pause. What it says is believed until the database can be read: one that claims to be stored
and is not in there is over. One that is not stored yet is over when it is, or when its assets are resumed.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from vivienne.changes.pause.state import PauseInForce
from vivienne.config.layers import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.changes.in_force import LayersInForce
    from vivienne.wire.pause import PauseClaim

_log = logging.getLogger(__name__)

MOST_NOT_FOUND = 256
"""Announced pauses that are remembered because the database does not have them."""


class Hearing:
    """Puts announced pauses in force.

    Args:
        in_force: what is paused.
        tell: called when a pause comes into force, or ends.
        clock: the time, ISO 8601 UTC.
    """

    def __init__(self, in_force: LayersInForce, tell: Callable[[], None], clock: Callable[[], str]) -> None:
        self._in_force = in_force
        self._tell = tell
        self._clock = clock
        # Names of those that are not in the database, so that a repeated announcement does not pause again.
        self._not_found: deque[str] = deque(maxlen=MOST_NOT_FOUND)

    def take(self, claim: PauseClaim) -> bool:
        """Take an announcement; tell whether it paused anything that was not paused by it already."""
        layer, version = claim["asset_symbol"] or GLOBAL, claim["version"]
        if layer not in (GLOBAL, *self._in_force.assets) or self._in_force.pauses.knows(claim["config_id"]):
            return False
        # The database has been read up to there, or does not have it.
        if version is not None and (version <= self._in_force.version or claim["config_id"] in self._not_found):
            return False
        pause = PauseInForce.announced(claim, layer, self._clock())
        if self._in_force.pauses.is_over(pause):
            return False
        _log.info("Another process announced that it paused %s", claim["asset_symbol"] or "all assets")
        self._in_force.hear(pause)
        self._tell()
        return True

    def claimed_as_stored(self) -> frozenset[PauseInForce]:
        """Announced pauses that should be in the database."""
        return frozenset(pause for pause in self._in_force.pauses.heard if pause.version is not None)

    def not_found(self, claimed: frozenset[PauseInForce]) -> None:
        """End those of them that are still not known to be stored, after everything in the database was read."""
        gone = claimed & self.claimed_as_stored()
        if not gone:
            return
        for pause in gone:
            self._not_found.append(pause.config_id)
            _log.warning(
                "A pause was announced as version %s, which the database does not have; it ends", pause.version
            )
        self._in_force.take_back(gone)
        self._tell()
