"""One piece of work for all who ask for it at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_T = TypeVar("_T")


class Together(Generic[_T]):
    """Runs work once for many callers, one run at a time. A call during a run gets the result of the next run.

    So every caller sees what was changed before its call, and a hundred simultaneous calls cost as much as two.

    Args:
        work: to do.
    """

    def __init__(self, work: Callable[[], Awaitable[_T]]) -> None:
        self._work = work
        self._one_at_a_time = asyncio.Lock()
        self._next: asyncio.Task[_T] | None = None

    async def result(self) -> _T:
        """The result of work that begins after this call.

        Raises:
            Exception: what the work raises.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._done(), name="work for all who asked for it")
        return await asyncio.shield(self._next)

    async def _done(self) -> _T:
        async with self._one_at_a_time:
            self._next = None
            return await self._work()
