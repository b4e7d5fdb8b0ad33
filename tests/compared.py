"""Counts how often patterns are compared with names, and how often at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from vivienne.alerts.names import Names
from vivienne.slices import whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from vivienne.slices import Pieces


class Compared:
    """Notes each comparison of a pattern with names.

    Attributes:
        count: of comparisons.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._moment, self._by_moment, compare = 0, Counter[int](), Names.ends_of_fitting

        def noted(names: Names, pattern: str, *, has_one: bool) -> int:
            self._by_moment[self._moment] += 1
            return compare(names, pattern, has_one=has_one)

        monkeypatch.setattr(Names, "ends_of_fitting", noted)

    @property
    def count(self) -> int:
        return self._by_moment.total()

    def most_at_once(self) -> int:
        """The most of them in one piece of work, or in one pass of the event loop."""
        return max(self._by_moment.values())

    def done(self, work: Pieces[Any]) -> Any:
        """Do work, and give its result."""
        self._next()
        return whole(work, self._next)

    @asynccontextmanager
    async def passes(self) -> AsyncIterator[None]:
        """Count passes of the event loop for the duration of the context."""

        async def follow() -> None:
            while True:
                self._next()
                await asyncio.sleep(0)

        following = asyncio.create_task(follow())
        try:
            yield
        finally:
            following.cancel()

    def _next(self) -> None:
        self._moment += 1
