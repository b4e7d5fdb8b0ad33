"""Announced pauses that nobody stores: a process that can write the database does it, so that they outlive restarts.

The process that announced such a pause is gone or cannot write, or the database lost the pause. It is stored though its
layer is paused by another one: processes that never heard of it would name the other one to those who resume, and those
that did would refuse that. A program that may announce pauses can cause revisions this way: none right after a
resumption, and one in ten minutes for each layer that stays paused.
"""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.changes.pause.plan import not_stored_yet, write_up_switch
from vivienne.changes.plan import Prepared
from vivienne.changes.requests import SwitchRequest
from vivienne.config.layers import asset_of
from vivienne.errors import ChangeRefused, StoreReplaced
from vivienne.times import written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.pause.hearing import Hearing
    from vivienne.changes.pause.state import PauseInForce, PausesInForce
    from vivienne.changes.writer import Writer
    from vivienne.store.base import RevisionStore
    from vivienne.store.thread import StoreThread
    from vivienne.wire.answers import Switched

_log = logging.getLogger(__name__)

CHANNEL = "redis"
ADOPT_SECONDS = 5.0
"""Time for which the database can be read and does not have it; until then its announcer, who knows more, stores it."""
AFTER_RESUMPTION = timedelta(seconds=30)
"""Time after a resumption in which nothing is stored for its layer: it bounds what forged announcements write."""
AFTER_ADOPTION = timedelta(minutes=10)
"""Time after one was stored in which no other one of its layer is, likewise."""
REASON = "announced by another process, which did not store it"


class Adopting:
    """Looks up announced pauses in the database, and stores those that nobody else does.

    Args:
        in_force: what is paused.
        hearing: has the announced ones.
        store: where they are looked up.
        thread: in which.
        writer: appends them, in its turn.
        clock: the wall clock.
        seconds: of a monotonic clock.
    """

    def __init__(
        self,
        in_force: LayersInForce,
        hearing: Hearing,
        store: RevisionStore,
        thread: StoreThread,
        writer: Writer,
        clock: Callable[[], datetime],
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._in_force = in_force
        self._hearing = hearing
        self._store = store
        self._thread = thread
        self._writer = writer
        self._clock = clock
        self._monotonic = seconds
        # By layer, since when the database can be read and does not have one that was announced.
        self._since: dict[str, float] = {}

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Around a look at the database: everything in it is followed inside."""
        asked = self._hearing.unsettled()
        try:
            yield
            if asked:
                names = {config_id for pause in asked for config_id, _ in pause.names}
                self._hearing.settle(asked, await self._thread.look_up(self._store.switches_named, names))
        except BaseException as error:
            self._since.clear()
            if isinstance(error, Exception):  # a cancellation says nothing about the database
                self._hearing.look_failed(is_replaced=isinstance(error, StoreReplaced))
            raise
        self._hearing.look_succeeded()
        await self._adopt()

    async def _adopt(self) -> None:
        unstored, now = self._in_force.pauses.unstored(), self._monotonic()
        self._since = {pause.layer: self._since.get(pause.layer, now) for pause in unstored}
        for pause in unstored:
            if now - self._since[pause.layer] < ADOPT_SECONDS or self._has_to_wait(pause.layer):
                continue
            try:
                await self._writer.write(partial(self._prepare, pause), CHANNEL, CHANNEL, is_urgent=True)
            except ChangeRefused as error:  # it is tried again at the next look
                _log.error("A pause that another process announced cannot be stored: %s", error)
                self._since.clear()
                return

    def _has_to_wait(self, layer: str) -> bool:
        pauses, now = self._in_force.pauses, self._clock()
        return was_resumed(pauses, layer, now) or was_adopted(pauses, layer, now)

    async def _prepare(self, pause: PauseInForce) -> Prepared[Switched]:
        nothing = Prepared(answer=not_stored_yet(self._in_force, pause, REASON))
        if pause not in self._in_force.pauses.unstored():
            return nothing
        name = await free_name(pause, self._store, self._thread)
        if name is None:
            await self._writer.follow()  # another process may have stored it a moment ago: it has to be in force here
            self._hearing.end(pause)
            return nothing
        # By the same name, so that of several processes one stores it: the others find the version taken, and then it.
        return write_up_switch(self._in_force, as_request(pause), name, written(self._clock()))


async def free_name(pause: PauseInForce, store: RevisionStore, thread: StoreThread) -> str | None:
    """The config_id to store an announced pause under; None if it is stored already.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    for config_id, layer in pause.names:
        named = await thread.run(store.by_config_id, config_id)
        if named is None:
            return config_id
        if named.layer == layer:
            return None
    return None


def as_request(pause: PauseInForce) -> SwitchRequest:
    """The request that stores an announced pause. Nothing is believed about who asked for it."""
    return SwitchRequest("pause", channel=CHANNEL, asset=asset_of(pause.layer), reason=REASON, trace_id=None)


def was_resumed(pauses: PausesInForce, layer: str, now: datetime) -> bool:
    """Tell whether a layer was resumed so lately that nothing announced is stored for it."""
    resumed = pauses.resumed.get(layer)
    return resumed is not None and _is_within(AFTER_RESUMPTION, resumed, now)


def was_adopted(pauses: PausesInForce, layer: str, now: datetime) -> bool:
    """Tell whether a layer is paused by an announced one that was stored so lately that no other one is."""
    stored = pauses.stored.get(layer)
    if stored is None or (stored.channel, stored.reason) != (CHANNEL, REASON):
        return False
    return _is_within(AFTER_ADOPTION, stored.created_at, now)


def _is_within(time: timedelta, moment: str, now: datetime) -> bool:
    return abs(now - datetime.fromisoformat(moment)) < time  # a clock may be wrong by hours
