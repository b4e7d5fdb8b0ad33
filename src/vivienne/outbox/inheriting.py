"""Messages that a process left behind: those of its own last run, and those of processes that are gone."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.errors import StoreUnavailable
from vivienne.outbox.owners import gone

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.outbox.delivering import Deliveries
    from vivienne.store.alert import AlertStore
    from vivienne.store.thread import StoreCalls

_log = logging.getLogger(__name__)

ALIVE_SECONDS = 5.0
"""Time between two notes that this process is alive."""
DEAD_SECONDS = 30.0
"""Age of the last note of a process beyond which others take over its messages, unless it ran on the same machine: of
those it is known at once, so that what they left comes before what is decided next."""
LEAVING_SECONDS = 1.0
_PAGE = 1_000


class Inheriting:
    """Takes over what others, and former runs, have not delivered.

    Args:
        store: has it.
        calls: of the store.
        deliveries: delivers it.
        owner: name of this process.
        is_shared: whether other processes may use the store at the same time.
        clock: monotonic, in seconds.

    Attributes:
        before: processes that come before this one in what one of them does, as the last look found them.
    """

    def __init__(
        self,
        store: AlertStore,
        calls: StoreCalls,
        deliveries: Deliveries,
        *,
        owner: str,
        is_shared: bool,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._store = store
        self._calls = calls
        self._deliveries = deliveries
        self._owner = owner
        self._is_shared = is_shared
        self._clock = clock
        self._steady_since: float | None = None
        """Time since when the store takes the notes of this process; none can be taken for dead before others had as
        much time for theirs."""
        self._is_first = True
        self.before = 0

    async def run(self) -> None:
        """Look again and again, until cancelled. Where nobody else uses the store, one look is enough."""
        try:
            while self._is_first or self._is_shared:
                await self.look_again()
                await asyncio.sleep(ALIVE_SECONDS)
        finally:
            if self._is_shared:
                await self._leave()

    async def _leave(self) -> None:
        """Say that this process goes: others have what it leaves at once."""
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(LEAVING_SECONDS):
                await self._calls.run(self._store.say_gone, self._owner)

    async def look_again(self) -> None:
        """Look, and bear with a store that does not answer."""
        try:
            await self.look()
        except StoreUnavailable as error:
            if self._steady_since is not None:
                _log.warning("Alerts that others have not delivered wait for the store: %s", error)
            self._steady_since = None

    async def look(self) -> None:
        """Say that this process is alive, and take over what others left.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        await self._calls.run(self._store.say_alive, self._owner)
        now = self._clock()
        if self._steady_since is None:
            self._steady_since = now
        owners = await self._calls.run(self._store.owners) if self._is_shared else []
        dead = gone(owners, self._owner)
        self.before = sum(owner < self._owner for owner in owners if owner not in dead)
        adopted = 0
        if self._is_first or (self._is_shared and now - self._steady_since >= DEAD_SECONDS):
            dead_after = DEAD_SECONDS if self._is_shared else None
            adopted = await self._calls.run(self._store.adopt, self._owner, dead_after, dead)
        if adopted and not self._is_first:
            _log.warning("Took over %d alerts of a process that is gone", adopted)
        await self._take(all_of_them=bool(adopted) or self._is_first)
        self._is_first = False

    async def _take(self, *, all_of_them: bool) -> None:
        """Take what the store has for this process: somebody may send a message again over another process."""
        after = 0
        while True:
            page = await self._calls.run(self._store.waiting, self._owner, _PAGE, after)
            # At once: after another call of the store, some of them may be done.
            self._deliveries.take(page, are_former=True)
            if len(page) < _PAGE or not all_of_them:
                return
            after = page[-1].delivery.number
