"""Turns of attempts: few at a time for one receiver, and those that fail never stand in the way of the others."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from vivienne.wire.alert import ChannelType

AT_ONCE: Mapping[ChannelType, tuple[int, int]] = {
    "webhook": (32, 8),
    # Each is a process.
    "apprise": (3, 1),
    "browser": (32, 8),
    "redis": (8, 2),
}
"""By type, attempts at a time: of lanes whose last attempt went well, and of those whose last attempt failed."""
MOST_OF_ONE = 4
"""Attempts at a time for one receiver."""
MOST_FAILING_OF_ONE = 2
"""Of these, those of lanes whose last attempt failed."""


@dataclass(slots=True)
class _Pool:
    size: int
    most_of_one: int
    busy: int = 0
    of_one: dict[str, int] = field(default_factory=dict)
    """By receiver, the attempts under way."""
    waiting: dict[str, deque[asyncio.Future[None]]] = field(default_factory=dict)
    """By receiver, in turn."""


class Slots:
    """Grants attempts. Receivers take turns, so one that many rules send to delays none of the others."""

    def __init__(self) -> None:
        self._pools = {
            (kind, failing): _Pool(sizes[failing], MOST_FAILING_OF_ONE if failing else MOST_OF_ONE)
            for kind, sizes in AT_ONCE.items()
            for failing in (False, True)
        }

    @asynccontextmanager
    async def one(self, kind: ChannelType, receiver: str, *, is_failing: bool) -> AsyncGenerator[None]:
        """Wait for the turn of an attempt, and hold it within the block.

        Args:
            kind: type of the channel.
            receiver: name of what it is sent to.
            is_failing: whether the last attempt of its lane failed.
        """
        both = [self._pools[kind, False], self._pools[kind, True]]
        pool = both[is_failing]
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        pool.waiting.setdefault(receiver, deque()).append(turn)
        self._grant(both)
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():
                pool.busy -= 1
                pool.of_one[receiver] -= 1
                if not pool.of_one[receiver]:
                    del pool.of_one[receiver]
            else:
                turn.cancel()
            self._grant(both)

    def _grant(self, both: list[_Pool]) -> None:
        for pool in both:
            while pool.busy < pool.size:
                receiver = next((each for each in pool.waiting if _may(each, pool, both)), None)
                if receiver is None:
                    break
                # The receiver goes to the end: others have their turn before its next one.
                queue = pool.waiting.pop(receiver)
                turn = queue.popleft()
                if queue:
                    pool.waiting[receiver] = queue
                if not turn.done():
                    pool.busy += 1
                    pool.of_one[receiver] = pool.of_one.get(receiver, 0) + 1
                    turn.set_result(None)


def _may(receiver: str, pool: _Pool, both: list[_Pool]) -> bool:
    return (
        pool.of_one.get(receiver, 0) < pool.most_of_one
        and sum(each.of_one.get(receiver, 0) for each in both) < MOST_OF_ONE
    )
