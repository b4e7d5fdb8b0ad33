"""The pace of a long call: others have their turn between its slices, and it ends once nobody waits for it."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from vivienne.slices import whole

if TYPE_CHECKING:
    from vivienne.changes.turns import Turns
    from vivienne.slices import Pieces

_T = TypeVar("_T")
SLICE_SECONDS = 0.25
"""Time after which a call lets others have their turn."""


class GivenUp(Exception):  # nothing is wrong
    """Nobody waits for the call any longer."""


class Pace:
    """The pace of one call, which a thread computes.

    Args:
        seconds: longest time for it to compute.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._begin = perf_counter()

    def whole(self, work: Pieces[_T]) -> _T:
        """Do work and give its result. Others have their turn after each slice.

        Raises:
            TimeoutError: the call takes longer than anybody waits for it.
            GivenUp: nobody waits for it any longer.
        """
        return whole(work, self.go_on)

    def go_on(self) -> None:
        """Called between two pieces of work; see `whole`."""
        used = perf_counter() - self._begin
        if used >= self._left:
            raise TimeoutError("the work takes too long")
        if used >= SLICE_SECONDS:
            self._let_others()
            self._left -= used
            self._begin = perf_counter()

    def _let_others(self) -> None:
        """Let others have their turn; alone there are none."""


class SharedTurn:
    """The turn of a call, which others may have between its slices.

    Args:
        turns: of all.
        whose: key of the caller.
        seconds: longest time for the call, without that of others.
    """

    def __init__(self, turns: Turns, whose: str, seconds: float) -> None:
        self._turns = turns
        self._whose = whose
        self._left = seconds
        self._since: float | None = None
        """When it had the turn; None while others have it."""
        self._waiting: asyncio.Task[None] | None = None
        self.limit = asyncio.timeout(None)
        """To be entered while the call is waited for."""
        self.used = 0.0
        """Seconds in which it had the turn."""
        self.is_left = False

    def pace(self) -> Pace:
        """The pace of the call, which begins now."""
        return _SharedPace(self, asyncio.get_running_loop(), self._left)

    async def take(self) -> None:
        """Wait for the turn."""
        await self._turns.take(self._whose)
        if self.is_left:
            self._turns.hand_on()
            raise asyncio.CancelledError
        self._since = perf_counter()

    def hand_on(self) -> None:
        """Let others have it. Does nothing while they have it."""
        if self._since is not None:
            self.used += perf_counter() - self._since
            self._since = None
            self._turns.hand_on()

    async def let_others(self) -> None:
        """Let each other caller who waits have a turn."""
        self.hand_on()
        self.limit.reschedule(None)
        self._waiting = asyncio.current_task()
        await self.take()
        self.watch()

    def watch(self) -> None:
        """Give up the call once it has taken all of its time. The limit was entered."""
        self.limit.reschedule(asyncio.get_running_loop().time() + max(0.0, self._left - self.used))

    def leave(self) -> None:
        """End the call at its next slice: nobody waits for it."""
        self.is_left = True
        if self._waiting is not None:
            self._waiting.cancel()


class _SharedPace(Pace):
    def __init__(self, turn: SharedTurn, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        super().__init__(seconds)
        self._turn = turn
        self._loop = loop

    def go_on(self) -> None:
        if self._turn.is_left:
            raise GivenUp
        super().go_on()

    def _let_others(self) -> None:
        waiting = self._turn.let_others()
        try:
            asyncio.run_coroutine_threadsafe(waiting, self._loop).result()
        except CancelledError:
            raise GivenUp from None
        except RuntimeError:  # the program ends
            waiting.close()
            raise GivenUp from None
