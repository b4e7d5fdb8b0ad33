"""Pages: what callers ask to see of the store, as often as they like. They take turns, for one page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

from vivienne.changes.turns import MOST_WAITING, Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.store.thread import StoreCalls

_P = ParamSpec("_P")
_R = TypeVar("_R")


class PageReads:
    """Reads pages: of the history, and of what became of alerts.

    Many at once would delay each other, and those that catch up delay changes too.

    Args:
        calls: of the store.
    """

    def __init__(self, calls: StoreCalls) -> None:
        self._calls = calls
        self._turns = Turns(most_waiting=MOST_WAITING)

    async def read(self, whose: str, call: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call the store in the turn of a caller.

        Args:
            whose: key of the caller.
            call: reads; it should look through so much at most.
            args: for the call.
            kwargs: for the call.

        Raises:
            TooManyRequests: the caller waits for too many pages already.
            StoreUnavailable: the store does not answer.
        """
        async with self._turns.turn(whose):
            return await self._calls.look_up(call, *args, **kwargs)
