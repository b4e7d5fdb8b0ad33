"""Following what other processes change in a shared store."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from vivienne.errors import StoreReplaced, StoreUnavailable
from vivienne.times import elapsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.pause.adopting import Adopting
    from vivienne.changes.pause.restoring import Restoring
    from vivienne.changes.pause.shared_entries import SharedEntries
    from vivienne.changes.writer import Writer

_log = logging.getLogger(__name__)

FOLLOW_SECONDS = 0.5
"""Seconds between two looks at the store without a hint."""
SOON_SECONDS = 1.0
"""Time of a look after which nobody waits for the next one: the store is slow."""


class Following:
    """Puts the changes of other processes in force here.

    Args:
        writer: catches up, in its turn.
        in_force: how far it has come.
        adopting: sees what is in the store of what was announced.
        restoring: stores the pauses that the store has lost.
        entries: reads the times of pauses in force again.
        seconds: of a clock that goes on while the machine sleeps.
    """

    def __init__(
        self,
        writer: Writer,
        in_force: LayersInForce,
        adopting: Adopting,
        restoring: Restoring,
        entries: SharedEntries,
        seconds: Callable[[], float] = elapsed,
    ) -> None:
        self._writer = writer
        self._adopting = adopting
        self._restoring = restoring
        self._in_force = in_force
        self._entries = entries
        self._seconds = seconds
        self._looked_at = self._waited_at = seconds()
        """When the last look that has ended was begun; and when the last one that was waited for has ended."""
        self._hangs = False
        """Whether a look was waited for in vain, and none has succeeded soon since."""
        self._looked = asyncio.Event()
        """Set when the next look has ended."""
        self._hint = asyncio.Event()
        self._failure: str | None = None

    def hint(self) -> None:
        """Say that there may be something to catch up with, so that `run` looks at once."""
        self._hint.set()

    async def run(self) -> None:
        """Catch up at every hint and every `FOLLOW_SECONDS`, until cancelled."""
        while True:
            with suppress(TimeoutError):
                # Not `wait_for`, which before Python 3.12 may lose a cancellation that comes with a hint.
                async with asyncio.timeout(FOLLOW_SECONDS):
                    await self._hint.wait()
            self._hint.clear()
            await self.look()

    async def look_if_late(self, seconds: float, most: float) -> None:
        """Have `run` look, if the last look was begun more than so many seconds ago; wait at most so long.

        While the store cannot be read, or is slow, there is nothing to wait for. The first who waits finds that out.
        """
        since = self._seconds() - seconds
        if max(self._looked_at, self._waited_at) >= since or self._hangs:
            return
        self.hint()
        try:
            async with asyncio.timeout(most):
                while self._looked_at < since:  # one that was under way is too old
                    await self._looked.wait()
            self._waited_at = self._seconds()
        except TimeoutError:
            self._hangs = True

    @property
    def is_up(self) -> bool:
        """Whether changes of other processes can be read, as far as is known."""
        return self._failure is None and not self._hangs

    def check(self) -> None:
        """Raise `StoreUnavailable` while changes of other processes cannot be read."""
        if self._failure is not None:
            raise StoreUnavailable(f"changes of other processes cannot be followed: {self._failure}")

    async def look(self) -> None:
        """Catch up once; a failure is kept for `check`."""
        begun_at = self._seconds()
        try:
            await self._look()
        finally:
            self._looked_at = begun_at
            took_long = self._seconds() - begun_at > SOON_SECONDS
            self._hangs = self._hangs and (took_long or self._failure is not None)
            self._looked.set()
            self._looked = asyncio.Event()

    async def _look(self) -> None:
        try:
            async with self._adopting.looking():
                await self._writer.catch_up()
            await self._entries.look()
        except StoreUnavailable as error:
            if isinstance(error, StoreReplaced):
                await self._restoring.restore()
            if self._failure is None:
                _log.error("Changes of other processes cannot be followed: %s", error)
            self._failure = str(error)
        except Exception as error:  # noqa: BLE001  # the next look may succeed; until then /ready reports it
            if self._failure is None:
                _log.exception("Changes of other processes cannot be followed")
            self._failure = repr(error)
        else:
            if self._failure is not None:
                _log.info("Changes of other processes are followed again, up to version %d", self._in_force.version)
            self._failure = None
