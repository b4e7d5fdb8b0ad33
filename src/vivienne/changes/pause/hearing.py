"""Pauses that other processes announce. They are in force at once, also while the database cannot be read.

An announcement can only pause. It is looked up in the database: one that claims to be stored, and that the database
lost, is one that is not stored yet. Such a one is over once it is stored and was resumed after that, by the order of
the database. The process that resumes stores it first (see `vivienne.changes.pause.service`), or another one does (see
`vivienne.changes.pause.adopting`). Clocks decide nothing, because those of two processes may differ by any time.

One of a version that was followed already without it is over or lost, and which of the two is looked up before it is in
force. While the database cannot be read it is in force without that: the database may have lost versions that were
followed here, and numbers them anew. Once it is known to be replaced, nothing that was followed says that a pause is
over, because the resumption may be lost too. So none ends before a restart, or before the database can be followed.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.changes.pause.state import PauseInForce
from vivienne.config.layers import GLOBAL, asset_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from vivienne.changes.in_force import LayersInForce
    from vivienne.wire.pause import PauseClaim

_log = logging.getLogger(__name__)

BELIEVED_SECONDS = 0.5
"""Time for which an announced pause is in force at least, so that forged ones do not switch assets all the time."""
MOST_LOOKED_UP = 256
"""Announced pauses that wait to be looked up, and that are remembered because the database has, or has lost them."""


class Hearing:
    """Puts announced pauses in force.

    Args:
        in_force: what is paused.
        tell: called with the layers of which a pause comes into force, or ends.
        clock: the time, ISO 8601 UTC.
        seconds: of a monotonic clock.
    """

    def __init__(
        self,
        in_force: LayersInForce,
        tell: Callable[[Iterable[str]], None],
        clock: Callable[[], str],
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._in_force = in_force
        self._tell = tell
        self._clock = clock
        self._monotonic = seconds
        # By name of those in force, when each was heard.
        self._heard: dict[str, float] = {}
        # Those of versions that were followed already without them. A repeated announcement is not looked up again.
        self._doubtful: dict[_Name, PauseInForce] = {}
        self._over: deque[_Name] = deque(maxlen=MOST_LOOKED_UP)
        self._lost: deque[_Name] = deque(maxlen=MOST_LOOKED_UP)
        # As the last look found the database; one that is replaced stays so until it can be followed again.
        self._is_unreadable = False
        self._is_replaced = False

    def take(self, claims: Iterable[PauseClaim]) -> bool:
        """Take announcements; tell whether there was one that is in force now, or has to be looked up."""
        # Who asks is told of all of them, thousands perhaps, and knows nearly all from the database.
        unknown = (claim for claim in claims if not self._is_known(claim))
        taken = [pause for claim in unknown if (pause := self._taken(claim)) is not None]
        if taken:
            self._put(taken)
        return bool(taken or self._doubtful)

    def look_failed(self, *, is_replaced: bool) -> None:
        """Put in force what cannot be looked up.

        Args:
            is_replaced: the database can be read, and is not the one that was followed.
        """
        self._is_unreadable = True
        self._is_replaced = self._is_replaced or is_replaced
        believed = [pause for pause in self._doubtful.values() if not self._is_over(pause)]
        for pause in believed:
            del self._doubtful[_name(pause)]
        if believed:
            self._put(believed)

    def look_succeeded(self) -> None:
        """Look up again what is announced, before it is in force, where there is doubt."""
        self._is_unreadable = self._is_replaced = False

    def _put(self, taken: Collection[PauseInForce]) -> None:
        pauses = self._in_force.pauses
        new = sorted({pause.layer for pause in taken if pauses.of(pause.layer) is None})
        self._in_force.hear(taken)
        at = self._monotonic()
        self._heard = {each.config_id: self._heard.get(each.config_id, at) for each in self._in_force.pauses.heard}
        if new:  # nothing else shows
            _log.info(
                "Another process announced that it paused %s", ", ".join(asset_of(layer) or "all" for layer in new)
            )
            self._tell(new)

    def unsettled(self) -> frozenset[PauseInForce]:
        """Announced pauses that may be in the database by now."""
        until = self._monotonic() - BELIEVED_SECONDS
        heard = self._in_force.pauses.heard
        return frozenset(
            (*self._doubtful.values(), *(each for each in heard if self._heard.get(each.config_id, until) <= until))
        )

    def _is_known(self, claim: PauseClaim) -> bool:
        return self._in_force.pauses.knows(claim["config_id"], claim["asset_symbol"] or GLOBAL)

    def _taken(self, claim: PauseClaim) -> PauseInForce | None:
        layer, version = claim["asset_symbol"] or GLOBAL, claim["version"]
        name = (claim["config_id"], layer)
        if not self._in_force.has(layer):
            return None
        pause = PauseInForce.announced(claim, layer, self._clock())
        if self._is_replaced:
            return pause
        if name in self._over:
            return None
        is_over = self._is_over(pause)
        if version is not None and name in self._lost:
            pause = replace(pause, version=None)
        elif version is not None and version <= self._in_force.version and (is_over or not self._is_unreadable):
            # The database has been read up to there: the pause is over, or lost.
            if len(self._doubtful) < MOST_LOOKED_UP:
                self._doubtful[name] = pause
            return None
        return None if is_over else pause

    def _is_over(self, pause: PauseInForce) -> bool:
        return not self._is_replaced and self._in_force.pauses.is_over(pause)

    def settle(self, asked: frozenset[PauseInForce], found: Mapping[tuple[str, str], int]) -> None:
        """Follow what the database has of them, after everything in it was read.

        Args:
            asked: announced pauses.
            found: by config_id and layer of those that it has, their versions.
        """
        versions = {pause: found[name] for pause in asked for name in pause.names if name in found}
        claimed = [each for each in asked - versions.keys() if each.version is not None]
        lost = [each for each in claimed if _name(each) in self._doubtful or each in self._in_force.pauses.heard]
        over = [pause for pause, version in versions.items() if version <= self._in_force.version]
        for pause in asked:
            self._doubtful.pop(_name(pause), None)
        self._over.extend(map(_name, over))
        self._lost.extend(map(_name, lost))
        before = set(self._in_force.pauses.heard)
        self._in_force.take_back([*over, *lost])
        unstored = [replace(pause, version=None) for pause in lost]
        self._in_force.hear(unstored)
        if lost:  # one record, however many were forged
            _log.warning(
                "%d pauses were announced as stored, such as version %s, and are not in the database: they count as "
                "not stored",
                len(lost),
                lost[0].version,
            )
        if changed := before.symmetric_difference(self._in_force.pauses.heard):
            self._tell({pause.layer for pause in changed})

    def end(self, pause: PauseInForce) -> None:
        """End one that the database has, and that was resumed."""
        self._over.append(_name(pause))
        self._in_force.take_back([pause])
        self._tell([pause.layer])


_Name = tuple[str, str]
"""Of a pause: its config_id and its layer."""


def _name(pause: PauseInForce) -> _Name:
    return pause.config_id, pause.layer
